#!/usr/bin/env bash
# Runs a command on several hosts that are parts of this machine: network namespaces, joined by a bridge, whose rate is limited.
# It shows what a network costs without having one. Needs root, ip, and tc, and removes the namespaces at the end.
#
#   bench/hosts.sh [-n HOSTS] [-r GBITS] [-t THREADS] [-l LAUNCHER] COMMAND...
#
#   -n HOSTS      the number of hosts (2)
#   -r GBITS      the rate of each host in Gb/s, each way, such as 0.1 (unlimited)
#   -t THREADS    of each host's process (1)
#   -l LAUNCHER   tcp starts COMMAND on each host with MASTER_ADDR, MASTER_PORT, RANK and WORLD_SIZE; openmpi and mpich
#                 start it by mpirun.openmpi and mpirun.mpich, or what MPIRUN names (tcp). The rate does not limit MPICH,
#                 whose processes find a faster way between hosts of one machine.
#
# Example: bench/hosts.sh -r 1 ./gradus finetune recipe.yaml parallel=data output=tuned
set -euo pipefail

readonly network=10.99.0 bridge=gradus-br name=gradus-host
hosts=2 rate= threads=1 launcher=tcp
while getopts n:r:t:l: option; do
    case $option in
        n) hosts=$OPTARG ;;
        r) rate=$OPTARG ;;
        t) threads=$OPTARG ;;
        l) launcher=$OPTARG ;;
        *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2; }

work=$(mktemp -d)
remove() {
    trap '' INT TERM
    local running
    running=$(jobs -p)
    # shellcheck disable=SC2086 # one word for each process
    [ -z "$running" ] || kill $running 2>/dev/null || true
    for ((host = 0; host < hosts; host++)); do
        ip link del "gradus-veth$host" 2>/dev/null || true # else it stays until the last process of the host has ended
        ip netns del "$name$host" 2>/dev/null || true
    done
    ip link del "$bridge" 2>/dev/null || true
    rm -rf "$work"
}
trap remove EXIT

# A token bucket: what a host may send at once is what it sends in 5 ms, or a packet of the largest size.
limit() {
    [ -z "$rate" ] && return
    local bits burst
    bits=$(awk -v gbits="$rate" 'BEGIN { printf "%.0f", gbits * 1e9 }')
    burst=$((bits / 8 / 200 > 131072 ? bits / 8 / 200 : 131072))
    "$@" root tbf rate "$bits" burst "$burst" latency 50ms
}

ip link add "$bridge" type bridge
ip link set "$bridge" up
for ((host = 0; host < hosts; host++)); do
    ip netns add "$name$host"
    ip link add "gradus-veth$host" type veth peer name eth0 netns "$name$host"
    ip link set "gradus-veth$host" master "$bridge" up
    ip -n "$name$host" address add "$network.$((host + 1))/24" dev eth0
    ip -n "$name$host" link set eth0 up
    ip -n "$name$host" link set lo up
    limit tc -n "$name$host" qdisc add dev eth0        # what it sends
    limit tc qdisc add dev "gradus-veth$host"          # what it receives
done

export OMP_NUM_THREADS=$threads
addresses=$(seq -s, -f "$network.%.0f" 1 "$hosts")
# What the launchers use in the place of ssh: runs a command on the host with an address, under a name of its own.
cat >"$work/agent" <<END
#!/usr/bin/env bash
while [ "\${1#-}" != "\$1" ]; do shift; done
number=\$((\${1##*.} - 1))
shift
exec ip netns exec "$name\$number" unshare --uts bash -c "hostname $name\$number; \$*"
END
chmod +x "$work/agent"

case $launcher in
    tcp)
        processes=()
        for ((host = 0; host < hosts; host++)); do
            "$work/agent" "$network.$((host + 1))" exec env MASTER_ADDR="$network.1" MASTER_PORT=29500 RANK="$host" \
                WORLD_SIZE="$hosts" LOCAL_WORLD_SIZE=1 "${@@Q}" &
            processes+=($!)
        done
        code=0
        for process in "${processes[@]}"; do
            wait "$process" || code=$?
        done
        exit "$code"
        ;;
    openmpi)
        export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
        "$work/agent" "$network.1" exec "${MPIRUN:-mpirun.openmpi}" -n "$hosts" --host "$addresses" --bind-to none -x OMP_NUM_THREADS \
            --mca plm_rsh_agent "$work/agent" --mca btl tcp,self --mca btl_tcp_if_include "$network.0/24" \
            --mca oob_tcp_if_include "$network.0/24" --mca btl_tcp_flags 1 "${@@Q}"
        ;;
    mpich)
        "$work/agent" "$network.1" exec "${MPIRUN:-mpirun.mpich}" -n "$hosts" -hosts "$addresses" -launcher ssh -launcher-exec "$work/agent" \
            -iface eth0 "${@@Q}"
        ;;
    *)
        echo "hosts.sh: -l $launcher is not tcp, openmpi, or mpich" >&2
        exit 2
        ;;
esac
