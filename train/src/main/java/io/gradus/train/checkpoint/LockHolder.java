package io.gradus.train.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Who writes an {@link OutputFolder}.
 *
 * @param pid the id of the process
 * @param host the name of its computer
 * @param started when it began to write
 * @param command its main class and arguments
 */
record LockHolder(long pid, String host, String started, String command) {
    private static final Path LINUX_HOST = Path.of("/proc/sys/kernel/hostname");

    private static final int LONGEST_COMMAND = 200;

    private static final ObjectMapper JSON = JsonMapper.builder()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();

    static LockHolder ofThisProcess() {
        String now = LocalDateTime.now(ZoneId.systemDefault())
                .format(DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss", Locale.ROOT));
        String command = System.getProperty("sun.java.command", "unknown command");
        String shown = command.length() <= LONGEST_COMMAND ? command : command.substring(0, LONGEST_COMMAND) + "…";
        return new LockHolder(ProcessHandle.current().pid(), nameOfThisHost(), now, shown);
    }

    /** Not from InetAddress, which may wait for a name server. */
    private static String nameOfThisHost() {
        try {
            if (Files.isReadable(LINUX_HOST)) {
                return Files.readString(LINUX_HOST).strip();
            }
        } catch (IOException e) {
            // taken from the environment
        }
        return Stream.of("COMPUTERNAME", "HOSTNAME")
                .map(System::getenv)
                .filter(Objects::nonNull)
                .findFirst()
                .orElse("this computer");
    }

    /** A description of the holder in the file of a lock; of an unknown process if the file cannot be read. */
    static String read(Path file) {
        @Nullable LockHolder holder;
        try {
            holder = JSON.readValue(Files.readString(file), LockHolder.class);
        } catch (IOException e) {
            holder = null; // it writes the file at this moment
        }
        return holder == null ? "another process" : holder.toString();
    }

    String toJson() {
        try {
            return JSON.writeValueAsString(this) + "\n";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public String toString() {
        return "process " + pid + " on " + host + ", started " + started + " (" + command + ")";
    }
}
