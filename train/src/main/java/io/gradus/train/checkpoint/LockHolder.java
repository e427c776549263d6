package io.gradus.train.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.gradus.parallel.HostName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
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
    private static final int LONGEST_COMMAND = 200;

    private static final ObjectMapper JSON = JsonMapper.builder()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();

    static LockHolder ofThisProcess() {
        String now = LocalDateTime.now(ZoneId.systemDefault())
                .format(DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss", Locale.ROOT));
        String command = System.getProperty("sun.java.command", "unknown command");
        String shown = command.length() <= LONGEST_COMMAND ? command : command.substring(0, LONGEST_COMMAND) + "…";
        return new LockHolder(ProcessHandle.current().pid(), HostName.get(), now, shown);
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
