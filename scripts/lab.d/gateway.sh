# The two gateways of the lab: their authority, their configuration, start and stop. Sourced by scripts/lab.
# shellcheck shell=bash
# shellcheck disable=SC2154  # work, sealgate, alg, hugepages, NS_M and HOST_* come from scripts/lab and net.sh
#
# Operator A (GT 99902, PLMN 001/02) is at home behind gateway A, operator B (GT 99901, PLMN 001/01) behind gateway B.
# Each requires a signature from the other and signs towards it.

declare -A GATEWAY_PID=()
declare -A TITLE=([a]=99902 [b]=99901) PLMN=([a]=00102 [b]=00101) CODE=([a]=4128 [b]=4112)
declare -A ADDRESS=([a]=$HOST_A [b]=$HOST_B) OTHER=([a]=b [b]=a)
readonly READY_S=60 STOP_S=20

# A lab authority in $work/tsca with one signer for each operator. A gateway gets its own key only.
make_authority() {
    local side
    "$sealgate" tsca init "$work/tsca" >"$work/tsca.log" 2>&1 || die_log "tsca init" "$work/tsca.log"
    for side in a b; do
        "$sealgate" tsca issue "$work/tsca" "operator-$side" --alg "$alg" --gt "${TITLE[$side]}" \
            --plmn "${PLMN[$side]}" --ispc "${CODE[$side]}" >>"$work/tsca.log" 2>&1 \
            || die_log "tsca issue operator-$side" "$work/tsca.log"
        cp -p "$work/tsca/keys/operator-$side.key.pem" "$work/$side/keys/"
    done
}

# write_config SIDE CORE
write_config() {
    local side=$1 core=$2 other=${OTHER[$1]} dir=$work/$1
    cat >"$dir/gateway.yaml" <<YAML
cores: {workers: [$core], crypto: []}
ports:
  interconnect: {device: "af_packet:g$side-wire"}
  home: {device: "af_packet:g$side-home"}
memory: {hugepages: $hugepages}
trust:
  anchors: [$work/tsca/anchors/root.pem]
  certificates: $work/tsca/certs
  crls: $work/tsca/crls
  keys: $dir/keys
policy: $dir/policy.yaml
state: $dir/state
admin: {socket: $dir/admin.sock}
YAML
    cat >"$dir/policy.yaml" <<YAML
version: 1
home:
  gt_prefixes: [{plan: e164, digits: "${TITLE[$side]}"}]
  plmns: ["${PLMN[$side]}"]
  signing: {cert: operator-$side, node_base: 1}
defaults:
  mode: require
  unknown_peer: drop
  ber: strict
links:
  wire:
    type: m3ua
    remote: [${ADDRESS[$other]}]
    local: [${ADDRESS[$side]}]
    opcs: [${CODE[$other]}]
    dpcs: [${CODE[$side]}]
    ni: [international]
    routing_contexts: [1]
    si: [sccp]
peers:
  operator-$other:
    gt: ["${TITLE[$other]}"]
    plmns: ["${PLMN[$other]}"]
    mode: require
    profiles: [SG-TCAP-1]
    algs: [$alg]
    signer_roles: [csp]
    sign: yes
    links: [wire]
    oversize: refuse
    ludt: true
    m3ua_only: true
YAML
}

# The cores this process may use, one to a line.
allowed_cores() {
    local list part
    list=$(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status)
    for part in ${list//,/ }; do
        seq "${part%-*}" "${part#*-}"
    done
}

write_configs() {
    local cores
    mapfile -t cores < <(allowed_cores)
    mkdir -p "$work/a/keys" "$work/b/keys"
    chmod 700 "$work/a/keys" "$work/b/keys"
    write_config a "${cores[0]}"
    write_config b "${cores[1]:-${cores[0]}}"
}

check_configs() {
    local side
    for side in a b; do
        "$sealgate" check "$work/$side/gateway.yaml" >"$work/$side/check.log" 2>&1 \
            || die_log "the configuration of gateway $side" "$work/$side/check.log"
    done
}

# True once gateway SIDE forwards: its log says "ready", or its admin socket is there.
gateway_ready() {
    grep -qiw ready "$work/$1/gateway.log" || [[ -S $work/$1/admin.sock ]]
}

gateway_alive() {
    [[ -n ${GATEWAY_PID[$1]:-} ]] && kill -0 "${GATEWAY_PID[$1]}" 2>/dev/null
}

# start_gateway SIDE: starts it in the middle's namespace and waits until it forwards.
start_gateway() {
    local side=$1 tenths
    rm -f "$work/$side/admin.sock"
    if [[ -e $work/$side/gateway.log ]]; then
        cat "$work/$side/gateway.log" >>"$work/$side/gateway.log.earlier"
    fi
    : >"$work/$side/gateway.log"
    ip netns exec "$NS_M" "$sealgate" run "$work/$side/gateway.yaml" >"$work/$side/gateway.log" 2>&1 &
    GATEWAY_PID[$side]=$!
    for ((tenths = 0; tenths < READY_S * 10; tenths++)); do
        gateway_alive "$side" || die_log "gateway $side ended at once" "$work/$side/gateway.log"
        if gateway_ready "$side"; then
            return
        fi
        sleep 0.1
    done
    die_log "gateway $side not ready after $READY_S s" "$work/$side/gateway.log"
}

# stop_gateway SIDE [SIGNAL]: 0 if it ended in time, and with status 0 where it was asked politely.
stop_gateway() {
    local side=$1 signal=${2:-TERM} pid=${GATEWAY_PID[$1]:-} tenths status=0 late=0
    [[ -n $pid ]] || return 0
    # The shell would tell of a process that it sees killed.
    {
        kill -"$signal" "$pid" || true
        for ((tenths = 0; tenths < STOP_S * 10; tenths++)); do
            kill -0 "$pid" || break
            sleep 0.1
        done
        if kill -KILL "$pid"; then
            late=1
        fi
        wait "$pid" || [[ $signal == KILL ]] || status=1
    } 2>/dev/null
    unset "GATEWAY_PID[$side]"
    ((!late)) || note "gateway $side did not end within $STOP_S s of SIG$signal"
    return $((status || late))
}

# What the gateways count, kept beside the capture of the case.
save_counters() {
    local side
    for side in a b; do
        timeout 10 "$sealgate" show --socket "$work/$side/admin.sock" --json >"$work/$1.gateway-$side.json" 2>/dev/null \
            || rm -f "$work/$1.gateway-$side.json"
    done
}
