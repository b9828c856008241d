//! Faults of a policy's examples.

use super::*;

#[test]
fn faults_of_examples() {
    const EXAMPLE: &str = "examples:\n  - name: signed\n    calling_gt: \"99902001\"\n    called_gt: \"99901001\"\n    \
                           signature: valid\n    expect: pass\n";
    let good = format!("{POLICY}{EXAMPLE}");
    let cases: &[Case] = &[
        (
            "    expect: pass\n",
            "    expect: R_SEC_MISING\n",
            &[
                "p.yaml:41: examples[0].expect: \"R_SEC_MISING\" is no verdict (did you mean \"R_SEC_MISSING\"?); use pass, \
               refuse or the name of a reason, as R_SEC_MISSING",
            ],
        ),
        (
            "    expect: pass\n",
            "    expect: pass\n    link: ss7-12\n",
            &[
                "p.yaml:42: examples[0].link: there is no link \"ss7-12\" (did you mean \"ss7-1\"?); known: ss7-1, ss7-2",
            ],
        ),
        (
            "    expect: pass\n",
            "    expect: pass\n    opcode: 120\n",
            &[
                "p.yaml:42: examples[0].opcode: no application context of MAP has operation 120; give one of TS 29.002, as 2",
            ],
        ),
        (
            "    signature: valid\n",
            "    signer: a-ec\n",
            &["p.yaml:40: examples[0].signer: nobody signs this example; give signature: valid, or take the key out"],
        ),
        (
            "    expect: pass\n",
            "    expect: pass\n    direction: out\n",
            &["p.yaml:40: examples[0].signature: what leaves our network has no signature yet; take the key out: the \
               gateway signs it"],
        ),
        ("    expect: pass\n", "", &["p.yaml:37: examples[0].expect: missing; give it, as expect: pass"]),
        (
            "    expect: pass\n",
            "    expect: pass\n  - {name: signed, calling_gt: \"1\", called_gt: \"2\", expect: refuse}\n",
            &["p.yaml:42: examples[1]: an example \"signed\" stands here already; keep one; the first is on line 37"],
        ),
    ];
    check::<Policy>(&good, cases, |text| parse_policy_for(text, "p.yaml", 4));
    let dia = "links:\n  dia: {type: diameter, remote: [192.0.2.1], local: [192.0.2.2]}\n";
    let mixed = good.replace("links:\n", dia);
    let on_it: &[Case] = &[(
        "    expect: pass\n",
        "    expect: pass\n    link: dia\n",
        &[
            "p.yaml:43: examples[0].link: link \"dia\" does not carry M3UA; examples are MAP messages: name a link of type m3ua",
        ],
    )];
    check::<Policy>(&mixed, on_it, |text| parse_policy_for(text, "p.yaml", 4));
}
