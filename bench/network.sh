#!/usr/bin/env bash
# Measures what a network costs two processes that train together, next to the arithmetic: a Llama with 15 million weights and a
# GPT-2 with 124 million, random. First one process with two threads and two processes on this machine take turns; then the two
# processes run on two hosts that hosts.sh makes of this machine. Prints a table in Markdown.
#
#   bench/network.sh FOLDER [RATES [MODELS [LAUNCHER]]]
#
# FOLDER gets models and runs; RATES are in Gb/s ("10 1 0.1"), MODELS "15m 124m". The machine must be idle. Needs what hosts.sh
# needs; LAUNCHER is openmpi (the default) or tcp, whose two processes on this machine are also started by mpirun.openmpi.
set -euo pipefail

bench=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
gradus=$bench/../gradus
[ $# -gt 0 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
mkdir -p "$1"
folder=$(cd "$1" && pwd)
rates=${2:-10 1 0.1} models=${3:-15m 124m} launcher=${4:-openmpi}
readonly warm_up=2 turns=3
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 # which hosts.sh needs

if [ ! -e "$folder/124m/config.json" ]; then
    "$gradus" jshell -s - >&2 <<END
void write(ModelConfig config, String name) throws Exception {
    Path folder = Path.of("$folder", name);
    new ByteTokenizer().save(folder);
    config.build(WeightSource.random(cpu, 7)).save(folder);
}
write(LlamaConfig.of(32000, 288, 768, 6, 6, 6, 256), "15m")
write(Gpt2Config.of(50257, 768, 12, 12, 1024), "124m")
Files.writeString(Path.of("$folder", "text.txt"), "The old man paints the sea, and a dog sees two birds.\\n".repeat(2000))
END
fi

# train NAME MODEL STEPS KEYS... : one run, by the command in the array "by".
train() {
    local name=$1 model=$2 steps=$3
    shift 3
    rm -rf "${folder:?}/$name"
    "${by[@]}" "$gradus" finetune model.path="$folder/$model" data.train="$folder/text.txt" data.max_seq_len=256 \
        batch_size="$batch" steps="$steps" eval_steps=1000000 max_eval_blocks=1 save_steps=0 sample.max_tokens=0 \
        output="$folder/$name" "$@" >"$folder/$name.log" 2>&1 || { cat "$folder/$name.log" >&2; exit 1; }
}

# median NAME FIELD: over the steps after the warm-up; "step" is the time of a step.
median() {
    grep '"loss"' "$folder/$1/metrics.jsonl" | tail -n +$((warm_up + 1)) | awk -v field="$2" '
        function value(name) { return match($0, "\"" name "\":[-0-9.E]+") ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 3) + 0 : 0 }
        { print field == "step" ? value("tokens") / value("tokens_per_second") : value(field) }' |
        middle_of_lines
}

middle_of_lines() {
    sort -g | awk '{ all[NR] = $1 } END { print (all[int((NR + 1) / 2)] + all[int(NR / 2) + 1]) / 2 }'
}

# middle NUMBERS...: their median.
middle() {
    printf '%s\n' "$@" | middle_of_lines
}

# row MODEL NETWORK STEP ARITHMETIC EXCHANGE WAITING
row() {
    awk -v m="$1" -v n="$2" -v t="$3" -v a="$4" -v b="$5" -v w="$6" 'BEGIN {
        h = 1 - w / b; printf "| %s | %s | %.2f s | %s | %.2f s | %.2f s | %.0f%% |\n", m, n, t, a, b, w, 100 * (h < 0 ? 0 : h) }'
}

echo "| model | network | step | by arithmetic | exchange | waiting | hidden |"
echo "| --- | --- | ---: | ---: | ---: | ---: | ---: |"
for model in $models; do
    # bytes of the F32 gradients, which two processes send once each, in two halves
    case $model in
        15m) batch=8 steps=12 bytes=60766848 ;;
        *) batch=2 steps=6 bytes=497759232 ;;
    esac
    steps_alone=() ratios=() exchanges=() waits=()
    for ((turn = 0; turn < turns; turn++)); do
        by=(env)
        train "$model-alone" "$model" "$steps" threads=2 gradient_accumulation_steps=2
        by=("${MPIRUN:-mpirun.openmpi}" -n 2)
        train "$model-local" "$model" "$steps" parallel=data threads=1
        steps_alone+=("$(median "$model-alone" step)")
        ratios+=("$(awk -v t="$(median "$model-local" seconds)" -v a="${steps_alone[turn]}" 'BEGIN { print t / a }')")
        exchanges+=("$(median "$model-local" communication_seconds)")
        waits+=("$(median "$model-local" waiting_seconds)")
    done
    alone=$(middle "${steps_alone[@]}")
    printf '| %s | one process, two threads | %.2f s | | | | |\n' "$model" "$alone"
    row "$model" "two processes, no network" "$(middle "${ratios[@]}" | awk -v a="$alone" '{ print a * $1 }')" \
        "$(middle "${ratios[@]}" | awk '{ printf "%.2f of one process", $1 }')" "$(middle "${exchanges[@]}")" "$(middle "${waits[@]}")"
    together=
    for rate in unlimited $rates; do
        if [ "$rate" = unlimited ]; then
            by=("$bench/hosts.sh" -l "$launcher")
        else
            by=("$bench/hosts.sh" -l "$launcher" -r "$rate")
        fi
        train "$model-$rate" "$model" "$steps" parallel=data threads=1
        step=$(median "$model-$rate" seconds)
        busy=$(median "$model-$rate" communication_seconds)
        waited=$(median "$model-$rate" waiting_seconds)
        if [ "$rate" = unlimited ]; then
            together=$step
            network=unlimited
            arithmetic=$(awk -v t="$step" -v a="$alone" 'BEGIN { printf "%.2f of one process", t / a }')
        else
            network="$rate Gb/s"
            arithmetic=$(awk -v t="$together" -v s="$bytes" -v r="$rate" 'BEGIN {
                sent = 8 * s / (1e9 * r); printf "%.2f–%.2f s", (t > sent ? t : sent), t + sent }')
        fi
        row "$model" "$network" "$step" "$arithmetic" "$busy" "$waited"
    done
done
