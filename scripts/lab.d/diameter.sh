# Diameter over TCP: two gateways between two agents of freeDiameter, and a node that asks and one that answers behind them.
# Sourced by scripts/lab.
# shellcheck shell=bash
# shellcheck disable=SC2154  # work, here, root, sealgate, hugepages, NS_* and the like come from scripts/lab and its parts
#
#   mme, agent (A)      gateway A      gateway B      agent, hss (B)
#   d0 ------------- da-home   da-wire --- db-wire   db-home ------- d0
#
# Realm A is a visited network, realm B the home of its subscribers. Each gateway signs what its own realm says, and requires a
# signature from the other.

readonly AGENT_A=203.0.113.17 AGENT_B=203.0.113.18
readonly MAC_AGENT_A=02:00:00:00:00:2a MAC_AGENT_B=02:00:00:00:00:2b
readonly REALM_A=epc.mnc002.mcc001.3gppnetwork.org REALM_B=epc.mnc001.mcc001.3gppnetwork.org
readonly STRANGER=epc.mnc009.mcc001.3gppnetwork.org
readonly WATCHDOG_S=6 PERIODS=10        # freeDiameter takes no shorter one; it varies by 2 s (RFC 3539)
readonly BURSTS=12 BURST=50 PAUSE_MS=9000
readonly DIAMETER_ROW='%-40s %6s %9s %8s  %-34s %s\n'

agent_a_pid='' agent_b_pid='' hss_pid='' mme_pid='' s6a=''
declare -A NODE=()

need_diameter() {
    "$here/packages" freediameterd freediameter-extensions openssl || die "the Diameter part needs freeDiameter"
    if [[ -d /run/systemd/system ]]; then
        # Its package starts an agent on all addresses of this machine; the lab has its own.
        systemctl disable --quiet --now freediameter 2>/dev/null || true
    fi
    note "building the node that asks and answers"
    (cd "$root" && cargo build --quiet --release --package sealgate-wire --example s6a) || die "cargo build failed"
    s6a=${CARGO_TARGET_DIR:-$root/target}/release/examples/s6a
}

diameter_up() {
    local link
    veth_pair "$NS_A" d0 "$NS_M" da-home
    veth_pair "$NS_M" da-wire "$NS_M" db-wire
    veth_pair "$NS_M" db-home "$NS_B" d0
    ip -n "$NS_A" link set d0 address "$MAC_AGENT_A"
    ip -n "$NS_B" link set d0 address "$MAC_AGENT_B"
    ip -n "$NS_A" addr add "$AGENT_A/28" dev d0
    ip -n "$NS_B" addr add "$AGENT_B/28" dev d0
    for link in "$NS_A d0" "$NS_B d0" "$NS_M da-home" "$NS_M da-wire" "$NS_M db-wire" "$NS_M db-home"; do
        ip -n "${link% *}" link set "${link#* }" up
    done
    ip -n "$NS_A" neigh add "$AGENT_B" lladdr "$MAC_AGENT_B" dev d0 nud permanent
    ip -n "$NS_B" neigh add "$AGENT_A" lladdr "$MAC_AGENT_A" dev d0 nud permanent
}

# diameter_gateway SIDE CORE TITLE PLMN REALM ADDRESS OTHER-TITLE OTHER-PLMN OTHER-REALM OTHER-ADDRESS
diameter_gateway() {
    local side=$1 dir=$work/diameter-$1 authority=$work/diameter/tsca
    cat >"$dir/gateway.yaml" <<YAML
cores: {workers: [$2], crypto: []}
ports:
  interconnect: {device: "af_packet:d$side-wire"}
  home: {device: "af_packet:d$side-home"}
memory: {hugepages: $hugepages}
trust:
  anchors: [$authority/anchors/root.pem]
  certificates: $authority/certs
  crls: $authority/crls
  keys: $dir/keys
policy: $dir/policy.yaml
state: $dir/state
admin: {socket: $dir/admin.sock}
YAML
    cat >"$dir/policy.yaml" <<YAML
version: 1
home:
  gt_prefixes: [{plan: e164, digits: "$3"}]
  plmns: ["$4"]
  realms: [$5]
  signing: {cert: realm-$side, node_base: 1}
defaults:
  transactions: {check: yes, grace: 1s}
links:
  wire:
    type: diameter
    transports: [tcp]
    remote: [${10}]
    local: [$6]
    ports: {remote: 3868, local: 3868}
    applications: [s6a]
peers:
  other:
    gt: ["$7"]
    plmns: ["$8"]
    realms: [$9]
    mode: require
    profiles: [SG-DIA-1]
    sign: yes
    links: [wire]
categories:
  diameter: {cat2: [317, 319, 320]}
YAML
    "$sealgate" check "$dir/gateway.yaml" >"$dir/check.log" 2>&1 \
        || die_log "the configuration of Diameter's gateway $side" "$dir/check.log"
    start_gateway "diameter-$side"
}

diameter_gateways() {
    local dir=$work/diameter log=$work/diameter/setup.log side cores
    mapfile -t cores < <(allowed_cores)
    mkdir -p "$dir" "$work/diameter-a/keys" "$work/diameter-b/keys"
    chmod 700 "$work/diameter-a/keys" "$work/diameter-b/keys"
    {
        "$sealgate" tsca init "$dir/tsca" \
            && "$sealgate" tsca issue "$dir/tsca" realm-a --alg p256 --gt 99902 --plmn 00102 --realm "$REALM_A" \
            && "$sealgate" tsca issue "$dir/tsca" realm-b --alg p256 --gt 99901 --plmn 00101 --realm "$REALM_B"
    } >"$log" 2>&1 || die_log "the authority of Diameter" "$log"
    for side in a b; do
        cp -p "$dir/tsca/keys/realm-$side.key.pem" "$work/diameter-$side/keys/"
    done
    note "starting the gateways of Diameter"
    diameter_gateway a "${cores[0]}" 99902 00102 "$REALM_A" "$AGENT_A" 99901 00101 "$REALM_B" "$AGENT_B"
    diameter_gateway b "${cores[1]:-${cores[0]}}" 99901 00101 "$REALM_B" "$AGENT_B" 99902 00102 "$REALM_A" "$AGENT_A"
    sleep 1.1     # what was signed before a gateway started is refused
}

# agent SIDE REALM ADDRESS [REALM ADDRESS]: writes the configuration of an agent; the second pair is whom it connects to. It
# wants a certificate in its own name, though no connection here uses it.
agent() {
    local conf=$work/diameter/agent-$1.conf
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=dra.$2" \
        -addext "subjectAltName=DNS:dra.$2" -keyout "$conf.key" -out "$conf.pem" >>"$work/diameter/setup.log" 2>&1 \
        || die_log openssl "$work/diameter/setup.log"
    echo "ALLOW_IPSEC *.$REALM_A *.$REALM_B" >"$conf.acl"
    cat >"$conf" <<CONF
Identity = "dra.$2";
Realm = "$2";
Port = 3868;
SecPort = 0;
No_SCTP;
No_IPv6;
TwTimer = $WATCHDOG_S;
ListenOn = "$3";
TLS_Cred = "$conf.pem", "$conf.key";
TLS_CA = "$conf.pem";
LoadExtension = "acl_wl.fdx" : "$conf.acl";
CONF
    [[ -z ${4:-} ]] || echo "ConnectPeer = \"dra.$4\" { ConnectTo = \"$5\"; No_TLS; };" >>"$conf"
}

# wait_open SIDE PEER: until the agent says that its connection with that node is open.
wait_open() {
    local tenths log=$work/diameter/agent-$1.log
    for ((tenths = 0; tenths < 300; tenths++)); do
        if grep -q "'STATE_OPEN'.*'$2'" "$log"; then
            return
        fi
        sleep 0.1
    done
    die_log "agent $1 and $2" "$log"
}

start_agents() {
    local dir=$work/diameter
    agent a "$REALM_A" "$AGENT_A" "$REALM_B" "$AGENT_B"
    agent b "$REALM_B" "$AGENT_B"
    ip netns exec "$NS_B" freeDiameterd -c "$dir/agent-b.conf" -dd >"$dir/agent-b.log" 2>&1 </dev/null &
    agent_b_pid=$!
    sleep 1
    ip netns exec "$NS_A" freeDiameterd -c "$dir/agent-a.conf" -dd >"$dir/agent-a.log" 2>&1 </dev/null &
    agent_a_pid=$!
    wait_open a "dra.$REALM_B"
}

# The ports of the connection between the agents: others after a reconnection.
between_agents() {
    ip netns exec "$NS_A" ss -Htn state established "src $AGENT_A and dst $AGENT_B" | awk '{ print $3, $4 }'
}

# diameter_reasons SIDE FILE
diameter_reasons() {
    timeout 10 "$sealgate" show reasons --socket "$work/diameter-$1/admin.sock" --json >"$2" \
        || die "Diameter's gateway $1 does not answer"
}

# diameter_row TEXT ASKED ANSWERED WITHOUT REASON-TEXT: a row of the table; the result is that of the faults since the last one.
diameter_row() {
    local result=held
    ((${#wrong[@]} == shown)) || result=FAILED
    # shellcheck disable=SC2059
    printf "$DIAMETER_ROW" "$1" "$2" "$3" "$4" "$5" "$result"
    ((${#wrong[@]} == shown)) || printf '    %s\n' "${wrong[@]:shown}"
    shown=${#wrong[@]}
}

# Words of name=value from FILE, into NODE.
load_words() {
    local word
    NODE=()
    for word in $(tail -n 1 "$1"); do
        [[ $word != *=* ]] || NODE[${word%%=*}]=${word#*=}
    done
}

freediameter_case() {
    local dir=$work/diameter all=$((BURSTS * BURST)) good tenth status=0 shown=${#wrong[@]} before after sum watched
    tenth=$((all / 10)) good=$((all - 2 * (all / 10)))
    note "case freediameter: $BURSTS bursts of $BURST requests, $((PAUSE_MS / 1000)) s of silence between them for the watchdogs"
    start_agents
    before=$(between_agents)
    ip netns exec "$NS_B" "$s6a" --connect "$AGENT_B:3868" --host "hss.$REALM_B" --realm "$REALM_B" --last-ms 300000 \
        >"$dir/hss.out" 2>"$dir/hss.err" &
    hss_pid=$!
    wait_open b "hss.$REALM_B"
    ip netns exec "$NS_A" "$s6a" --connect "$AGENT_A:3868" --host "mme.$REALM_A" --realm "$REALM_A" --to "$REALM_B" \
        --imsi 00101 --plmn 00102 --stranger "$STRANGER" --bursts "$BURSTS" --size "$BURST" --pause-ms "$PAUSE_MS" --last-ms 3000 \
        >"$dir/mme.out" 2>"$dir/mme.err" &
    mme_pid=$!
    wait "$mme_pid" || status=$?
    mme_pid=''
    expect "the asking node: status" "$status" -eq 0
    after=$(between_agents)
    kill -0 "$hss_pid" 2>/dev/null || failed "the answering node ended: $(tail -n 1 "$dir/hss.err")"
    diameter_reasons a "$dir/a.json"
    diameter_reasons b "$dir/b.json"
    load_words "$dir/mme.out"
    # shellcheck disable=SC2059
    printf "$DIAMETER_ROW" requests asked answered silent "counted by the gateways" result

    expect "good requests answered with success" "${NODE[good_succeeded]:-0}" -eq "$good"
    sum=$(counted "$dir/b.json" R_OK_VERIFIED in)
    expect "requests verified by gateway B" "$sum" -eq "$good"
    expect "requests and all else signed by gateway A" "$(counted "$dir/a.json" R_OK_SIGNED_EGRESS out)" -eq $((good + tenth))
    expect "answers signed by gateway B" "$(counted "$dir/b.json" R_OK_SIGNED_EGRESS out)" -eq "$good"
    expect "answers verified by gateway A" "$(counted "$dir/a.json" R_OK_VERIFIED in)" -eq "$good"
    diameter_row "Update-Location, signed" "${NODE[good_asked]:-0}" "${NODE[good_succeeded]:-0}" 0 "R_OK_VERIFIED $sum, twice"

    sum=$(counted "$dir/b.json" R_POL_PEER_UNKNOWN in)
    expect "requests of a stranger that gateway B refused" "$sum" -eq "$tenth"
    expect "answers to a stranger" $((${NODE[stranger_succeeded]:-0} + ${NODE[stranger_failed]:-0})) -eq 0
    diameter_row "Update-Location of a stranger" "${NODE[stranger_asked]:-0}" 0 "$tenth" "R_POL_PEER_UNKNOWN $sum"

    sum=$(counted "$dir/b.json" R_POL_HOME_IMSI in)
    expect "Cancel-Location that gateway B refused" "$sum" -eq "$tenth"
    expect "answers to Cancel-Location" $((${NODE[cancel_succeeded]:-0} + ${NODE[cancel_failed]:-0})) -eq 0
    diameter_row "Cancel-Location of a visited network" "${NODE[cancel_asked]:-0}" 0 "$tenth" "R_POL_HOME_IMSI $sum"

    # What passes as hop-local is Capabilities-Exchange once, and watchdogs. A period ends with a request of one agent and the
    # answer of the other: it is for both the sign that the other is there.
    watched=$((($(counted "$dir/b.json" R_OK_NOT_SUBJECT in) - 1)))
    expect "watchdogs from agent A" "$watched" -ge "$PERIODS"
    expect "watchdogs from agent B" $((($(counted "$dir/b.json" R_OK_NOT_SUBJECT out) - 1))) -ge "$PERIODS"
    [[ -n $before && $before == "$after" ]] || failed "the connection between the agents: \"$before\", then \"$after\""
    expect "connections that agent A lost" "$(grep -c "'STATE_OPEN'.*->.*'dra\.$REALM_B'" "$dir/agent-a.log" || true)" -eq 0
    expect "connections that agent B lost" "$(grep -c "'STATE_OPEN'.*->.*'dra\.$REALM_A'" "$dir/agent-b.log" || true)" -eq 0
    diameter_row "watchdogs of each agent" "$watched" - 0 "one connection from begin to end"
}

stop_agents() {
    local pid
    for pid in "$mme_pid" "$hss_pid" "$agent_a_pid" "$agent_b_pid"; do
        end_process "$pid"
    done
    mme_pid='' hss_pid='' agent_a_pid='' agent_b_pid=''
}

run_diameter() {
    local name side
    diameter_up
    diameter_gateways
    for name in "$@"; do
        wrong=()
        "${name}_case"
        for side in a b; do
            gateway_alive "diameter-$side" || failed "gateway $side died; see $work/diameter-$side/gateway.log"
        done
        ((${#wrong[@]} == 0)) || failures=$((failures + 1))
    done
    wrong=()
    stop_agents
    for side in a b; do
        if ! stop_gateway "diameter-$side"; then
            note "gateway $side did not end well; see $work/diameter-$side/gateway.log"
            failures=$((failures + 1))
        fi
    done
}

diameter_down() {
    stop_agents
    stop_gateway diameter-a KILL
    stop_gateway diameter-b KILL
}
