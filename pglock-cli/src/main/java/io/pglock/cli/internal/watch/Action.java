// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.watch;

import org.jline.keymap.KeyMap;
import org.jline.terminal.Terminal;
import org.jline.utils.InfoCmp.Capability;

/** What a key does. */
enum Action {
    UP,
    DOWN,
    PAGE_UP,
    PAGE_DOWN,
    FIRST,
    LAST,
    SORT,
    FILTER,
    DETAILS,
    CANCEL,
    TERMINATE,
    PAUSE,
    HELP,
    BACK,
    QUIT,
    NONE;

    /** An escape that is followed by nothing for so long, in ms, was the key. */
    private static final long ESCAPE_ALONE = 50;

    static KeyMap<Action> keys(Terminal terminal) {
        KeyMap<Action> keys = new KeyMap<>();
        bind(keys, terminal, UP, Capability.key_up, "k", "\033[A", "\033OA");
        bind(keys, terminal, DOWN, Capability.key_down, "j", "\033[B", "\033OB");
        bind(keys, terminal, PAGE_UP, Capability.key_ppage, "\033[5~", "\002");
        bind(keys, terminal, PAGE_DOWN, Capability.key_npage, "\033[6~", "\006", " ");
        bind(keys, terminal, FIRST, Capability.key_home, "g", "\033[H", "\033[1~");
        bind(keys, terminal, LAST, Capability.key_end, "G", "\033[F", "\033[4~");
        keys.bind(SORT, "s");
        keys.bind(FILTER, "/");
        keys.bind(DETAILS, "\r", "\n");
        keys.bind(CANCEL, "c");
        keys.bind(TERMINATE, "t");
        keys.bind(PAUSE, "p");
        keys.bind(HELP, "?", "h");
        keys.bind(BACK, "\033");
        keys.bind(QUIT, "q", "Q");
        keys.setNomatch(NONE);
        keys.setUnicode(NONE);
        keys.setAmbiguousTimeout(ESCAPE_ALONE);
        return keys;
    }

    private static void bind(KeyMap<Action> keys, Terminal terminal, Action action, Capability key, String... others) {
        String sequence = KeyMap.key(terminal, key);
        if (sequence != null && !sequence.isEmpty()) {
            keys.bind(action, sequence);
        }
        keys.bind(action, others);
    }
}
