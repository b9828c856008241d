# Telephone calls: one gateway between two networks, SIPp and Kamailio at its ends. Sourced by scripts/lab.
# shellcheck shell=bash
# shellcheck disable=SC2154  # work, here, sealgate, hugepages, NS_* and the like come from scripts/lab and its parts
#
#   outside (A): SIPp, Kamailio     gateway (M)          home (B): SIPp
#   c0 ------------------------ gc-wire   gc-home ------------------- c0
#
# Numbers outside begin with 99902 and must be signed for; numbers at home begin with 99901 and leave signed. PASSporTs are
# made by secsipidx and Kamailio: neither has a line in common with the gateway. (With each other they have: libsecsipid.)

readonly CALLS=1000                     # of the case sipp
readonly FEW=20                         # of each kind in the case kamailio
readonly OUTSIDE=203.0.113.1 HOME_IP=203.0.113.2
readonly MAC_OUTSIDE=02:00:00:00:00:1a MAC_HOME=02:00:00:00:00:1b
readonly CERTS_HOST=certs.lab.example
readonly CALLERS_X5U=https://$CERTS_HOST/caller.pem HOME_X5U=https://$CERTS_HOST/home.pem
readonly ORIGID=123e4567-e89b-12d3-a456-426614174001
readonly RUN_S=45                       # a run of SIPp ends by then; PASSporTs are good for 60 s
readonly CALL_ROW='%-34s %5s %8s %7s  %-9s %-9s %8s  %-30s %s\n'

callee_pid='' kamailio_pid='' https_pid='' arrived=0
declare -a caller_pids=() makers=()

# ---------------------------------------------------------------- what it needs

readonly POLICY_RC=/usr/sbin/policy-rc.d
policy_rc_ours=0

# need_calls CASE ...
need_calls() {
    local packages=(sip-tester secsipidx openssl)
    if [[ " $* " == *" kamailio "* ]]; then
        packages+=(kamailio kamailio-secsipid-modules)
        # The package would start a SIP server on all addresses of this machine; the lab wants one of its own.
        if ! command -v kamailio >/dev/null && [[ ! -e $POLICY_RC ]]; then
            policy_rc_ours=1
            printf '#!/bin/sh\nexit 101\n' >"$POLICY_RC"
            chmod 755 "$POLICY_RC"
        fi
    fi
    "$here/packages" "${packages[@]}" || die "the calls need these packages: ${packages[*]}"
    if ((policy_rc_ours)) && [[ -d /run/systemd/system ]]; then
        systemctl disable --quiet kamailio 2>/dev/null || true
    fi
    forget_policy_rc
}

forget_policy_rc() {
    ((!policy_rc_ours)) || rm -f "$POLICY_RC"
    policy_rc_ours=0
}

# ---------------------------------------------------------------- network and gateway

calls_up() {
    local link
    veth_pair "$NS_A" c0 "$NS_M" gc-wire
    veth_pair "$NS_M" gc-home "$NS_B" c0
    ip -n "$NS_A" link set c0 address "$MAC_OUTSIDE"
    ip -n "$NS_B" link set c0 address "$MAC_HOME"
    ip -n "$NS_A" addr add "$OUTSIDE/24" dev c0
    ip -n "$NS_B" addr add "$HOME_IP/24" dev c0
    for link in "$NS_A c0" "$NS_B c0" "$NS_M gc-wire" "$NS_M gc-home"; do
        ip -n "${link% *}" link set "${link#* }" up
    done
    ip -n "$NS_A" neigh add "$HOME_IP" lladdr "$MAC_HOME" dev c0 nud permanent
    ip -n "$NS_B" neigh add "$OUTSIDE" lladdr "$MAC_OUTSIDE" dev c0 nud permanent
    # The host of the certificates is in the outside namespace.
    mkdir -p "/etc/netns/$NS_A"
    printf '127.0.0.1 localhost\n%s %s\n' "$OUTSIDE" "$CERTS_HOST" >"/etc/netns/$NS_A/hosts"
}

calls_gateway() {
    local dir=$work/calls log=$work/calls/setup.log cores
    mapfile -t cores < <(allowed_cores)
    mkdir -p "$dir/keys" "$dir/https" "$dir/cache"
    chmod 700 "$dir/keys"
    {
        "$sealgate" tsca init "$dir/tsca" \
            && "$sealgate" tsca issue "$dir/tsca" caller --alg p256 --gt 99902 --tn 999020000000+1000000 \
            && "$sealgate" tsca issue "$dir/tsca" home --alg p256 --gt 99901 --tn 999010000000+10000000
    } >"$log" 2>&1 || die_log "the authority of the calls" "$log"
    cp -p "$dir/tsca/keys/home.key.pem" "$dir/keys/"
    openssl ecparam -name prime256v1 -genkey -noout -out "$dir/stranger.key.pem" >>"$log" 2>&1 || die_log openssl "$log"
    cat >"$dir/gateway.yaml" <<YAML
cores: {workers: [${cores[0]}], crypto: []}
ports:
  interconnect: {device: "af_packet:gc-wire"}
  home: {device: "af_packet:gc-home"}
memory: {hugepages: $hugepages}
trust:
  anchors: [$dir/tsca/anchors/root.pem]
  certificates: $dir/tsca/certs
  crls: $dir/tsca/crls
  keys: $dir/keys
policy: $dir/policy.yaml
state: $dir/state
admin: {socket: $dir/admin.sock}
YAML
    cat >"$dir/policy.yaml" <<YAML
version: 1
home:
  gt_prefixes: [{plan: e164, digits: "99901"}]
  plmns: ["00101"]
  tn_prefixes: ["99901"]
  signing: {cert: home, node_base: 1}
links:
  calls:
    type: sip
    remote: [$OUTSIDE]
    local: [$HOME_IP]
    on_fail: reject
peers:
  caller:
    gt: ["99902"]
    mode: require
    sign: yes
    links: [calls]
    min_attest: A
stir:
  hosts: [$CERTS_HOST]
  certificates:
    - {x5u: "$CALLERS_X5U", cert: caller}
  window: 60s
  sign: {x5u: "$HOME_X5U", attest: A, origid: 123e4567-e89b-12d3-a456-426614174000}
YAML
    "$sealgate" check "$dir/gateway.yaml" >"$dir/check.log" 2>&1 || die_log "the configuration of the calls" "$dir/check.log"
    note "starting the gateway of the calls"
    start_gateway calls
    # What was signed before the gateway started is refused, and PASSporTs know seconds only.
    sleep 1.1
}

# save_reasons FILE
save_reasons() {
    timeout 10 "$sealgate" show reasons --socket "$work/calls/admin.sock" --json >"$1" || die "the gateway does not answer"
}

# counted FILE REASON WAY: what one reason stands at, for WAY in or out.
counted() {
    local row
    row=$(tr -d ' \n' <"$1" | tr '}' '\n' | grep -F "\"name\":\"$2\"" || true)
    [[ $row =~ \"$3\":([0-9]+) ]] && echo "${BASH_REMATCH[1]}" || echo 0
}

# ---------------------------------------------------------------- calls

# passport KEY CALLING CALLED TIME FORM: the token alone, signed at that time. The full form is SHAKEN's (RFC 8588); in compact
# form (RFC 8224 section 7) the receiver makes up what was signed from the call itself.
passport() {
    local token
    if [[ $5 == full ]]; then
        secsipidx -sign -alg ES256 -ppt shaken -attest A -orig-id "$ORIGID" -x5u "$CALLERS_X5U" -iat "$4" \
            -fprvkey "$1" -orig-tn "$2" -dest-tn "$3"
    else
        token=$(secsipidx -sign -fprvkey "$1" -header "{\"alg\":\"ES256\",\"typ\":\"passport\",\"x5u\":\"$CALLERS_X5U\"}" \
            -payload "{\"dest\":{\"tn\":[\"$3\"]},\"iat\":$4,\"orig\":{\"tn\":\"$2\"}}") || return 1
        echo "..${token##*.}"
    fi
}

# list NAME COUNT CALLING CALLED [KEY CALLING CALLED [AGE [FORM]]]: the calls of one kind, for SIPp, into $work/calls/NAME.csv.
# The first two numbers are those of the call, the others what its PASSporT says; all count up. Without KEY there is none.
list() {
    local calls=$2 calling=$3 called=$4 key=${5:-} token='' i at
    {
        echo SEQUENTIAL
        for ((i = 0; i < calls; i++)); do
            at=$((EPOCHSECONDS - ${8:-0}))
            if [[ -n $key ]]; then
                token=$(passport "$key" "$(($6 + i))" "$(($7 + i))" "$at" "${9:-full}") || return 1
            fi
            printf '%s;%s;%s;%s;' "$((calling + i))" "$((called + i))" "$token" "$CALLERS_X5U"
            LC_ALL=C TZ=UTC printf '%(%a, %d %b %Y %H:%M:%S GMT)T\n' "$at"
        done
    } >"$work/calls/$1.csv"
}

# call NAME COUNT RATE NAMESPACE ADDRESS PORT TO IDENTITY: starts the calls of $work/calls/NAME.csv; IDENTITY is full, compact,
# or none.
call() {
    local name=$1 calls=$2 rate=$3 ns=$4 address=$5 port=$6 to=$7 out=$work/calls/$1 edit='/@IDENTITY@/d'
    case $8 in
        full) edit='s|@IDENTITY@|Identity: [field2];info=<[field3]>;alg=ES256;ppt="shaken"|' ;;
        compact) edit='s|@IDENTITY@|Identity: [field2];info=<[field3]>;alg=ES256|' ;;
    esac
    sed "$edit" "$here/lab.d/caller.xml" >"$out.xml"
    rm -f "$out.stat"
    ip netns exec "$ns" sipp "$to:5060" -sf "$out.xml" -inf "$out.csv" -i "$address" -p "$port" -m "$calls" -r "$rate" \
        -nostdin -skip_rlimit -timeout "$RUN_S" -trace_stat -stf "$out.stat" -fd 1 -trace_err -error_file "$out.err" \
        >"$out.out" 2>&1 </dev/null &
    caller_pids+=($!)
}

# Waits for all calls; what became of them is in the statistics.
calls_end() {
    local pid
    for pid in "${caller_pids[@]}"; do
        wait "$pid" || true
    done
    caller_pids=()
}

# stat NAME COLUMN: the last value of a column of SIPp's statistics.
stat_of() {
    local value=''
    [[ ! -e $work/calls/$1.stat ]] || value=$(awk -F';' -v name="$2" '
        NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) column = i }
        NR > 1 && column { last = $column }
        END { print last }' "$work/calls/$1.stat")
    echo "${value:-0}"
}

start_callee() {
    local tenths out=$work/calls/callee
    ip netns exec "$NS_B" sipp -sf "$here/lab.d/callee.xml" -i "$HOME_IP" -p 5060 -nostdin -skip_rlimit \
        -trace_stat -stf "$out.stat" -fd 1 -trace_err -error_file "$out.err" >"$out.out" 2>&1 </dev/null &
    callee_pid=$!
    for ((tenths = 0; tenths < 100; tenths++)); do
        [[ ! -s $out.stat ]] || return 0
        kill -0 "$callee_pid" 2>/dev/null || break
        sleep 0.1
    done
    die_log "the called telephone" "$out.out"
}

call_head() {
    # shellcheck disable=SC2059
    printf "$CALL_ROW" calls sent answered refused by expected again "counted by the gateway" result
}

# outcome NAME TEXT COUNT STATUS BEFORE AFTER WAY REASON [OTHER]: a row of the table; STATUS is 200 or that of a refusal. BEFORE
# and AFTER are what the gateway had counted; OTHER was counted with it. What SIPp sent again may count again.
outcome() {
    local name=$1 text=$2 calls=$3 status=$4 before=$5 after=$6 way=$7 reason=$8
    local code of refused=0 by='' answered again expected=answered result=held sum most faults=${#wrong[@]}
    answered=$(stat_of "$name" 'answered(C)')
    again=$(stat_of "$name" 'Retransmissions(C)')
    for code in 403 428 436 437 438; do
        of=$(stat_of "$name" "s$code(C)")
        refused=$((refused + of))
        ((of == 0)) || by=${by:+$by,}$code
    done
    sum=$(($(counted "$after" "$reason" "$way") - $(counted "$before" "$reason" "$way")))
    most=$((calls + again))
    if [[ -n ${9:-} ]]; then
        sum=$((sum - $(stat_of "$9" TotalCallCreated)))
        most=$((most + $(stat_of "$9" 'Retransmissions(C)')))
    fi
    expect "$text: calls" "$(stat_of "$name" 'TotalCallCreated')" -eq "$calls"
    expect "$text: calls that went wrong" "$(stat_of "$name" 'FailedCall(C)')" -eq 0
    if ((status == 200)); then
        expect "$text: answered" "$answered" -eq "$calls"
        expect "$text: ended by BYE" "$(stat_of "$name" 'ended(C)')" -eq "$calls"
    else
        expected="$status"
        expect "$text: refused with $status" "$(stat_of "$name" "s$status(C)")" -eq "$calls"
        expect "$text: answered" "$answered" -eq 0
    fi
    expect "$text: $reason" "$sum" -ge "$calls"
    expect "$text: $reason" "$sum" -le "$most"
    ((${#wrong[@]} == faults)) || result=FAILED
    # shellcheck disable=SC2059
    printf "$CALL_ROW" "$text" "$calls" "$answered" "$refused" "${by:--}" "$expected" "$again" "$reason $sum" "$result"
    ((${#wrong[@]} == faults)) || printf '    %s\n' "${wrong[@]:faults}"
}

# ---------------------------------------------------------------- the cases

sipp_case() {
    local dir=$work/calls key=$work/calls/tsca/keys/caller.key.pem stranger=$work/calls/stranger.key.pem from=$OUTSIDE
    local forged=$((CALLS / 18)) third=$((CALLS / 18 * 6)) good compact pid
    local before=$dir/sipp.before.json middle=$dir/sipp.middle.json after=$dir/sipp.after.json
    compact=$(((CALLS - 2 * third) / 2))
    good=$((CALLS - 2 * third - compact))
    note "case sipp: $CALLS calls; secsipidx makes $((good + compact + 5 * forged)) PASSporTs for them"
    list signed "$good" 999020000000 999010000000 "$key" 999020000000 999010000000 &
    makers+=($!)
    list compact "$compact" 999020000500 999010000500 "$key" 999020000500 999010000500 0 compact &
    makers+=($!)
    {
        list stranger "$forged" 999020001000 999010001000 "$stranger" 999020001000 999010001000
        list calling "$forged" 999020002000 999010002000 "$key" 999020002500 999010002000
        list called "$forged" 999020003000 999010003000 "$key" 999020003000 999010003500
        list foreign "$forged" 999021000000 999010004000 "$key" 999021000000 999010004000
        list old "$forged" 999020005000 999010005000 "$key" 999020005000 999010005000 120
    } &
    makers+=($!)
    list unsigned "$third" 999020006000 999010006000
    for pid in "${makers[@]}"; do
        wait "$pid" || die "secsipidx makes no PASSporTs: $key, $stranger"
    done
    makers=()
    head -n $((forged + 1)) "$dir/signed.csv" >"$dir/again.csv"
    save_reasons "$before"
    call signed "$good" 20 "$NS_A" "$from" 5061 "$HOME_IP" full
    call compact "$compact" 20 "$NS_A" "$from" 5069 "$HOME_IP" compact
    call stranger "$forged" 7 "$NS_A" "$from" 5062 "$HOME_IP" full
    call calling "$forged" 7 "$NS_A" "$from" 5063 "$HOME_IP" full
    call called "$forged" 7 "$NS_A" "$from" 5064 "$HOME_IP" full
    call foreign "$forged" 7 "$NS_A" "$from" 5065 "$HOME_IP" full
    call old "$forged" 7 "$NS_A" "$from" 5066 "$HOME_IP" full
    call unsigned "$third" 40 "$NS_A" "$from" 5067 "$HOME_IP" none
    calls_end
    save_reasons "$middle"
    call again "$forged" 20 "$NS_A" "$from" 5068 "$HOME_IP" full
    calls_end
    save_reasons "$after"
    outcome signed "signed" "$good" 200 "$before" "$middle" in R_OK_VERIFIED compact
    outcome compact "signed, in compact form" "$compact" 200 "$before" "$middle" in R_OK_VERIFIED signed
    outcome stranger "forged: a stranger's key" "$forged" 438 "$before" "$middle" in R_STIR_SIG
    outcome calling "forged: another one calls" "$forged" 438 "$before" "$middle" in R_STIR_ORIG
    outcome called "forged: another one is called" "$forged" 438 "$before" "$middle" in R_STIR_DEST
    outcome foreign "forged: a number of others" "$forged" 437 "$before" "$middle" in R_STIR_TN
    outcome old "forged: two minutes old" "$forged" 403 "$before" "$middle" in R_STIR_STALE
    outcome again "forged: used before" "$forged" 403 "$middle" "$after" in R_STIR_REPLAY
    outcome unsigned "without Identity" "$third" 428 "$before" "$middle" in R_STIR_MISSING
    expect_arrived $((good + compact))
}

# expect_arrived COUNT: so many calls have reached the telephone at home since it was there, and nothing else did.
expect_arrived() {
    local faults=${#wrong[@]}
    sleep 1.2     # it writes its statistics every second
    arrived=$((arrived + $1))
    expect "calls that reached the telephone at home" "$(stat_of callee 'called(C)')" -eq "$arrived"
    expect "of them ended by BYE" "$(stat_of callee 'ended(C)')" -eq "$arrived"
    expect "of other calls something reached it" "$(stat_of callee 'TotalCallCreated')" -eq "$arrived"
    ((${#wrong[@]} == faults)) || printf '    %s\n' "${wrong[@]:faults}"
}

start_kamailio() {
    local dir=$work/calls tenths
    # Where certificates are fetched from, over https.
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=$CERTS_HOST" \
        -addext "subjectAltName=DNS:$CERTS_HOST" -keyout "$dir/https.key.pem" -out "$dir/https.pem" >>"$dir/setup.log" 2>&1 \
        || die_log openssl "$dir/setup.log"
    cp "$dir/tsca/certs/home.pem" "$dir/tsca/certs/caller.pem" "$dir/https/"
    (cd "$dir/https" && exec ip netns exec "$NS_A" openssl s_server -accept "$OUTSIDE:443" -WWW -cert "$dir/https.pem" \
        -key "$dir/https.key.pem" >"$dir/https.log" 2>&1 </dev/null) &
    https_pid=$!
    sed -e "s|@OUTSIDE@|$OUTSIDE|g; s|@HOME@|$HOME_IP|g; s|@X5U@|$CALLERS_X5U|g; s|@CACHE@|$dir/cache|g" \
        -e "s|@KEY@|$dir/tsca/keys/caller.key.pem|g" "$here/lab.d/kamailio.cfg" >"$dir/kamailio.cfg"
    # In a session of its own: it has children, and all of them must end.
    SSL_CERT_FILE=$dir/https.pem setsid ip netns exec "$NS_A" kamailio -f "$dir/kamailio.cfg" -DD -E -m 32 -M 8 \
        -Y "$dir" >"$dir/kamailio.log" 2>&1 </dev/null &
    kamailio_pid=$!
    for ((tenths = 0; tenths < 100; tenths++)); do
        kill -0 "$kamailio_pid" 2>/dev/null || break
        if ip netns exec "$NS_A" ss -Hlun "sport = 5060" | grep -q .; then
            sleep 1     # its children load secsipid
            return
        fi
        sleep 0.1
    done
    die_log Kamailio "$dir/kamailio.log"
}

stop_kamailio() {
    local tenths
    if [[ -n $kamailio_pid ]]; then
        kill -TERM "$kamailio_pid" 2>/dev/null || true
        for ((tenths = 0; tenths < 50; tenths++)); do
            kill -0 -- "-$kamailio_pid" 2>/dev/null || break
            sleep 0.1
        done
        kill -KILL -- "-$kamailio_pid" 2>/dev/null || true
        wait "$kamailio_pid" 2>/dev/null || true
    fi
    kamailio_pid=''
    end_process "$https_pid"
    https_pid=''
}

# Each kind of calls after the other: the counters of one are not those of the next.
kamailio_case() {
    local dir=$work/calls
    note "case kamailio: verifies what the gateway signed, signs what the gateway verifies"
    start_kamailio
    list out-signed "$FEW" 999010006000 999020006000
    list out-plain "$FEW" 999030006000 999020006000
    list out-forged "$FEW" 999010006500 999020006500 "$dir/stranger.key.pem" 999010006500 999020006500
    list in-signed "$FEW" 999020006000 999010006000
    list in-altered "$FEW" 999020007000 999010007000
    save_reasons "$dir/kamailio.0.json"
    call out-signed "$FEW" 10 "$NS_B" "$HOME_IP" 5061 "$OUTSIDE" none
    calls_end
    save_reasons "$dir/kamailio.1.json"
    call out-plain "$FEW" 10 "$NS_B" "$HOME_IP" 5062 "$OUTSIDE" none
    calls_end
    save_reasons "$dir/kamailio.2.json"
    call out-forged "$FEW" 10 "$NS_B" "$HOME_IP" 5063 "$OUTSIDE" full
    calls_end
    save_reasons "$dir/kamailio.3.json"
    call in-signed "$FEW" 10 "$NS_A" "$OUTSIDE" 5066 "$OUTSIDE" none
    calls_end
    save_reasons "$dir/kamailio.4.json"
    call in-altered "$FEW" 10 "$NS_A" "$OUTSIDE" 5067 "$OUTSIDE" none
    calls_end
    save_reasons "$dir/kamailio.5.json"
    stop_kamailio
    outcome out-signed "out: the gateway signs" "$FEW" 200 "$dir/kamailio.0.json" "$dir/kamailio.1.json" out R_OK_SIGNED_EGRESS
    outcome out-plain "out: not our number" "$FEW" 428 "$dir/kamailio.1.json" "$dir/kamailio.2.json" out R_OK_UNSIGNED_ALLOWED
    outcome out-forged "out: a stranger signed before us" "$FEW" 438 "$dir/kamailio.2.json" "$dir/kamailio.3.json" out \
        R_OK_UNSIGNED_ALLOWED
    outcome in-signed "in: Kamailio signs" "$FEW" 200 "$dir/kamailio.3.json" "$dir/kamailio.4.json" in R_OK_VERIFIED
    outcome in-altered "in: caller altered after that" "$FEW" 438 "$dir/kamailio.4.json" "$dir/kamailio.5.json" in R_STIR_ORIG
    expect_arrived "$FEW"
}

run_calls() {
    local name
    calls_up
    calls_gateway
    start_callee
    call_head
    for name in "$@"; do
        wrong=()
        "${name}_case"
        gateway_alive calls || failed "the gateway died; see $work/calls/gateway.log"
        ((${#wrong[@]} == 0)) || failures=$((failures + 1))
    done
    wrong=()
    end_process "$callee_pid"
    callee_pid=''
    if ! stop_gateway calls; then
        note "the gateway did not end well; see $work/calls/gateway.log"
        failures=$((failures + 1))
    fi
}

calls_down() {
    local pid
    forget_policy_rc
    for pid in "${makers[@]}" "${caller_pids[@]}" "$callee_pid"; do
        end_process "$pid"
    done
    stop_kamailio
    stop_gateway calls KILL
    rm -rf "/etc/netns/$NS_A"
    rmdir --ignore-fail-on-non-empty /etc/netns 2>/dev/null
}
