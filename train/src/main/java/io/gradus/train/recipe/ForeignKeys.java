package io.gradus.train.recipe;

import java.util.Map;
import java.util.Optional;

/** What the keys of Hugging Face's {@code TrainingArguments}, TRL and torchtune are called in a recipe. */
final class ForeignKeys {
    private static final Map<String, String> OURS = Map.ofEntries(
            // the model and the data
            Map.entry("model_name_or_path", "model.path"),
            Map.entry("train_file", "data.train"),
            Map.entry("validation_file", "data.eval"),
            Map.entry("dataset_text_field", "data.format"),
            Map.entry("validation_split_percentage", "data.validation_split, a part of 1"),
            Map.entry("max_seq_len", "data.max_seq_len"),
            Map.entry("max_seq_length", "data.max_seq_len"),
            Map.entry("max_length", "data.max_seq_len"),
            Map.entry("block_size", "data.max_seq_len"),
            Map.entry("packed", "data.packing: documents"),
            Map.entry("output_dir", "output"),
            // batches and steps
            Map.entry("max_steps", "steps"),
            Map.entry("max_steps_per_epoch", "steps"),
            Map.entry("num_train_epochs", "epochs"),
            Map.entry("per_device_train_batch_size", "batch_size"),
            Map.entry("train_batch_size", "batch_size"),
            Map.entry("per_device_eval_batch_size", "batch_size"),
            Map.entry("gradient_accumulation", "gradient_accumulation_steps"),
            // memory and precision
            Map.entry("fp16", "precision: f16"),
            Map.entry("float16", "precision: f16"),
            Map.entry("bf16", "precision: bf16"),
            Map.entry("bfloat16", "precision: bf16"),
            Map.entry("fp32", "precision: f32"),
            Map.entry("dtype", "precision"),
            Map.entry("torch_dtype", "precision"),
            Map.entry("float32_matmul_precision", "matmul_precision"),
            Map.entry("gradient_checkpointing", "activation_checkpointing"),
            Map.entry("enable_activation_checkpointing", "activation_checkpointing"),
            Map.entry("optimizer_in_backward", "optimizer_in_bwd"),
            Map.entry("num_output_chunks", "loss_chunk_size, in tokens"),
            // classifiers
            Map.entry("text_column_name", "data.text_column"),
            Map.entry("label_column_name", "data.label_column"),
            Map.entry("problem_type", "classification.problem_type"),
            Map.entry("label_smoothing_factor", "classification.label_smoothing"),
            // the optimizer
            Map.entry("lr", "learning_rate"),
            Map.entry("optim", "optimizer"),
            Map.entry("lr_scheduler_type", "schedule"),
            Map.entry("lr_scheduler", "schedule"),
            Map.entry("warmup_steps", "warmup_ratio, a part of the steps"),
            Map.entry("num_warmup_steps", "warmup_ratio, a part of the steps"),
            Map.entry("min_lr", "min_lr_ratio, relative to learning_rate"),
            Map.entry("adam_beta1", "beta1"),
            Map.entry("adam_beta2", "beta2"),
            Map.entry("betas", "beta1 and beta2"),
            Map.entry("adam_epsilon", "epsilon"),
            Map.entry("eps", "epsilon"),
            Map.entry("clip_grad_norm", "max_grad_norm"),
            // evaluation and checkpoints
            Map.entry("eval_strategy", "eval_steps"),
            Map.entry("evaluation_strategy", "eval_steps"),
            Map.entry("max_eval_samples", "max_eval_blocks"),
            Map.entry("load_best_model", "load_best_model_at_end"),
            Map.entry("save_strategy", "save_steps"),
            Map.entry("save_every_n_steps", "save_steps"),
            Map.entry("resume_from_checkpoint", "resume"),
            Map.entry("max_new_tokens", "sample.max_tokens"),
            Map.entry("use_cpu", "device: cpu"),
            Map.entry("no_cuda", "device: cpu"));

    private ForeignKeys() {}

    /** Our name for a key, with a value where ours has one that says the same. */
    static Optional<String> hint(String key) {
        return Optional.ofNullable(OURS.get(key)).map(ours -> "use " + ours);
    }
}
