// SPDX-License-Identifier: Apache-2.0
package reactor.core.publisher;

/** Has Reactor's name, and that is all that the agent looks at. */
public final class Mono<T> {

    /** What it would have. */
    public final T value;

    /** One that has its value already. */
    public Mono(T value) {
        this.value = value;
    }
}
