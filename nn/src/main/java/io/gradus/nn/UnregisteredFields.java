package io.gradus.nn;

import io.gradus.autograd.Variable;
import java.lang.reflect.Field;
import java.lang.reflect.InaccessibleObjectException;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Finds fields of a module that hold parameters or modules which were not registered. Collections, arrays and maps in fields
 * are searched, too.
 *
 * <p>The values of fields can be read if the module's class is on the class path or in a package that is open to this Java
 * module. Otherwise only the declared types are known; then the class is rejected if it has fields of these types and has
 * registered nothing at all.
 */
final class UnregisteredFields {
    private static final ClassValue<List<Field>> FIELDS = new ClassValue<>() {
        @Override
        protected List<Field> computeValue(Class<?> type) {
            List<Field> fields = new ArrayList<>();
            for (Class<?> c = type; c != null && c != Module.class; c = c.getSuperclass()) {
                Arrays.stream(c.getDeclaredFields())
                        .filter(field -> !field.getType().isPrimitive() && !field.isSynthetic())
                        .filter(field -> (field.getModifiers() & (Modifier.STATIC | Modifier.TRANSIENT)) == 0)
                        .forEach(fields::add);
            }
            return fields;
        }
    };

    private UnregisteredFields() {}

    /**
     * Rejects a module with such a field.
     *
     * @param registered the module itself, and all parameters and modules registered in it and inside it
     * @throws IllegalStateException naming the field and the remedy
     */
    static void reject(Module module, Set<Object> registered) {
        for (Field field : FIELDS.get(module.getClass())) {
            if (!isReadable(field)) {
                rejectByType(field, registered);
                continue;
            }
            parts(value(field, module))
                    .filter(part -> !registered.contains(part))
                    .findFirst()
                    .ifPresent(part -> {
                        throw unregistered(field, part);
                    });
        }
    }

    private static IllegalStateException unregistered(Field field, Object part) {
        String call = part instanceof Variable ? "register(…)" : "register(\"" + field.getName() + "\", …)";
        return new IllegalStateException(
                name(field) + " holds a " + part.getClass().getSimpleName()
                        + " that was not registered, so it would not be trained or saved; write " + field.getName()
                        + " = " + call
                        + ", or declare the field transient if it only refers to something owned elsewhere");
    }

    private static void rejectByType(Field field, Set<Object> registered) {
        boolean isCandidate = Module.class.isAssignableFrom(field.getType()) || field.getType() == Variable.class;
        if (isCandidate && registered.size() == 1) {
            throw new IllegalStateException(
                    name(field) + " is declared as a " + field.getType().getSimpleName()
                            + ", but the class registered nothing, so nothing would be trained or saved; write "
                            + field.getName()
                            + " = register(…); if the field rightly holds no parameter, declare it transient, or open"
                            + " the package"
                            + " to " + UnregisteredFields.class.getPackageName() + " so that its value can be checked");
        }
    }

    private static String name(Field field) {
        return field.getDeclaringClass().getSimpleName() + "." + field.getName();
    }

    private static boolean isReadable(Field field) {
        try {
            return field.trySetAccessible();
        } catch (InaccessibleObjectException | SecurityException e) {
            return false;
        }
    }

    private static @Nullable Object value(Field field, Module module) {
        try {
            return field.get(module);
        } catch (IllegalAccessException e) {
            throw new AssertionError(e); // it was made accessible
        }
    }

    /** The modules and the parameters in a field's value. */
    private static Stream<Object> parts(@Nullable Object value) {
        return switch (value) {
            case null -> Stream.empty();
            case Module module -> Stream.of(module);
            case Variable variable ->
                variable.isLeaf() && variable.requiresGrad() ? Stream.of(variable) : Stream.empty();
            case Collection<?> elements -> elements.stream().flatMap(UnregisteredFields::parts);
            case Object[] elements -> Arrays.stream(elements).flatMap(UnregisteredFields::parts);
            case Map<?, ?> map -> map.values().stream().flatMap(UnregisteredFields::parts);
            case Optional<?> optional -> parts(optional.orElse(null));
            default -> Stream.empty();
        };
    }
}
