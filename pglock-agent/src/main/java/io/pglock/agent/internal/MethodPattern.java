// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which methods a target means: {@code com.acme.Migrator#run}, whatever its parameters; {@code
 * com.acme.Migrator#run(java.lang.String,int)}; {@code com.acme.*#migrate*}; or {@code @com.acme.Nightly}, every method that
 * carries the annotation. Immutable and thread-safe.
 */
final class MethodPattern implements Comparable<MethodPattern> {

    private static final String RIGHT_FORM =
            "write com.acme.Migrator#run, com.acme.*#migrate*, com.acme.Migrator#run(java.lang.String,int) or @com.acme.Nightly";

    private static final Pattern METHOD = Pattern.compile("([^#()]+)#([^#()]+)(?:\\(([^()]*)\\))?");
    private static final Pattern NAME = Pattern.compile("[\\p{javaJavaIdentifierPart}*-]+");
    private static final Pattern ANNOTATION =
            Pattern.compile("@(\\p{javaJavaIdentifierPart}+(?:\\.\\p{javaJavaIdentifierPart}+)*)");
    private static final Pattern TYPE =
            Pattern.compile("\\p{javaJavaIdentifierPart}+(?:\\.\\p{javaJavaIdentifierPart}+)*(?:\\[\\])*");

    /** Their classes are those of the Java platform and of the agent itself. */
    private static final List<String> NOT_WOVEN = List.of("java.", "jdk.", "sun.", "io.pglock.agent.");

    private final String text;
    private final Optional<String> annotation;
    private final ClassGlob classes;
    private final String method;
    private final Optional<Pattern> methodGlob;
    private final Optional<List<String>> parameters;

    private MethodPattern(
            String text,
            Optional<String> annotation,
            ClassGlob classes,
            String method,
            Optional<List<String>> parameters) {
        this.text = text;
        this.annotation = annotation;
        this.classes = classes;
        this.method = method;
        this.methodGlob = method.contains("*") ? Optional.of(ClassGlob.pattern(method, ".*")) : Optional.empty();
        this.parameters = parameters;
    }

    /** @throws IllegalArgumentException saying what the right form is */
    static MethodPattern parse(String written) {
        String text = written.strip();
        Matcher annotation = ANNOTATION.matcher(text);
        if (annotation.matches()) {
            return new MethodPattern(
                    text, Optional.of(annotation.group(1)), ClassGlob.parse("**"), "*", Optional.empty());
        }
        Matcher matcher = METHOD.matcher(text);
        if (!matcher.matches()) {
            throw bad(text, hint(text));
        }
        String className = matcher.group(1);
        String method = matcher.group(2);
        if (className.indexOf('/') >= 0) {
            throw bad(text, "write " + className.replace('/', '.') + "#" + method);
        }
        if (method.equals("<init>") || method.equals("<clinit>") || method.equals("new")) {
            throw bad(text, "a constructor or initializer cannot be guarded; name a method");
        }
        if (!NAME.matcher(method).matches()) {
            throw bad(text, "\"" + method + "\" is not the name of a method; " + RIGHT_FORM);
        }
        ClassGlob classes;
        try {
            classes = ClassGlob.parse(className);
        } catch (IllegalArgumentException e) {
            throw bad(text, String.valueOf(e.getMessage()));
        }
        if (!classes.isExact() && classes.literalStart().isEmpty()) {
            throw bad(text, "every class of the process could be meant; begin with a package, as in com.acme.**#run");
        }
        for (String notWoven : NOT_WOVEN) {
            if (className.startsWith(notWoven)) {
                throw bad(text, "classes of " + notWoven + "* are never changed; name a class of the application");
            }
        }
        return new MethodPattern(
                text,
                Optional.empty(),
                classes,
                method,
                Optional.ofNullable(matcher.group(3)).map(types -> parameters(text, types)));
    }

    private static List<String> parameters(String text, String types) {
        if (types.isBlank()) {
            return List.of();
        }
        List<String> names = new ArrayList<>();
        for (String type : types.split(",", -1)) {
            String name = type.strip().replace("...", "[]");
            if (!TYPE.matcher(name).matches()) {
                throw bad(
                        text, "\"" + type.strip() + "\" is not a type; write java.lang.String, int, byte[] or nothing");
            }
            names.add(name);
        }
        return List.copyOf(names);
    }

    private static String hint(String text) {
        int dot = text.lastIndexOf('.');
        boolean looksLikeDots = text.matches("[\\w.$]+") && dot > 0;
        if (looksLikeDots && dot + 1 < text.length() && Character.isLowerCase(text.charAt(dot + 1))) {
            return "write " + text.substring(0, dot) + "#" + text.substring(dot + 1);
        }
        if (looksLikeDots) {
            return "name a method too: " + text + "#run, or " + text + "#* for all of them";
        }
        return text.contains("::") ? "write " + text.replace("::", "#") : RIGHT_FORM;
    }

    private static IllegalArgumentException bad(String text, String remedy) {
        return new IllegalArgumentException("target=" + text + ": is not a target; " + remedy);
    }

    /** The descriptor of the annotation that marks the methods, where that is how they are meant. */
    Optional<String> annotationDescriptor() {
        return annotation.map(name -> "L" + name.replace('.', '/') + ";");
    }

    /** The one class that is meant, with dots; empty where it may be many. */
    Optional<String> exactClass() {
        return annotation.isEmpty() && classes.isExact() ? Optional.of(classes.toString()) : Optional.empty();
    }

    /** The classes that are meant, where they may be many. */
    Optional<ClassGlob> classGlob() {
        return annotation.isEmpty() && !classes.isExact() ? Optional.of(classes) : Optional.empty();
    }

    /** The methods as they are written, without their class. */
    String methodText() {
        return text.substring(text.indexOf('#') + 1);
    }

    /** The one name that the methods have; empty where they may have many. */
    Optional<String> exactMethod() {
        return annotation.isEmpty() && methodGlob.isEmpty() ? Optional.of(method) : Optional.empty();
    }

    /** Whether the name alone says that methods of this class may be meant; never so for an annotation. */
    boolean matchesClass(String className) {
        return annotation.isEmpty() && meansClass(className);
    }

    /** What is generated, such as Spring's proxies, calls the class that is meant: a pattern means it only if it says so. */
    private boolean meansClass(String className) {
        return classes.matches(className)
                && (classes.isExact() || !isGenerated(className) || isGenerated(classes.toString()));
    }

    private static boolean isGenerated(String className) {
        return className.indexOf("$$", className.lastIndexOf('.') + 1) >= 0;
    }

    /**
     * @param className with dots
     * @param parameterTypes as {@code Class.getTypeName} has them, arrays as {@code byte[]}
     * @param annotationDescriptors those of the method
     */
    boolean matches(
            String className, String methodName, List<String> parameterTypes, Set<String> annotationDescriptors) {
        if (annotation.isPresent()) {
            return annotationDescriptors.contains(annotationDescriptor().orElseThrow());
        }
        return meansClass(className)
                && methodGlob.map(glob -> glob.matcher(methodName).matches()).orElseGet(() -> method.equals(methodName))
                && parameters.map(types -> areSame(types, parameterTypes)).orElse(true);
    }

    private static boolean areSame(List<String> written, List<String> types) {
        if (written.size() != types.size()) {
            return false;
        }
        for (int i = 0; i < types.size(); i++) {
            if (!written.get(i).equals(types.get(i)) && !("java.lang." + written.get(i)).equals(types.get(i))) {
                return false;
            }
        }
        return true;
    }

    /** The more specific one comes first; equal rank is 0, and does not mean that they are equal. */
    @Override
    public int compareTo(MethodPattern other) {
        int[] mine = rank();
        int[] others = other.rank();
        for (int i = 0; i < mine.length; i++) {
            if (mine[i] != others[i]) {
                return Integer.compare(others[i], mine[i]);
            }
        }
        return 0;
    }

    /** Exact names before globs, longer globs before shorter ones, all of them before an annotation. */
    private int[] rank() {
        boolean named = annotation.isEmpty();
        return new int[] {
            named ? 1 : 0,
            exactClass().isPresent() ? 1 : 0,
            exactMethod().isPresent() ? 1 : 0,
            parameters.isPresent() ? 1 : 0,
            named ? classes.literals() : 0,
            named ? (int) method.chars().filter(c -> c != '*').count() : 0
        };
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof MethodPattern pattern && text.equals(pattern.text);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    /** As it is written. */
    @Override
    public String toString() {
        return text;
    }
}
