//! `sgperf rules`: what operator rules cost a message, by their number.

use clap::Args;
use sealgate_crypto::keyring::KeyRing;
use sealgate_dataplane::pipeline::worker::Stage;
use sealgate_perf::cost::{Tsc, by_stage, policy_ns};
use sealgate_perf::measure;
use sealgate_perf::record::Document;
use sealgate_perf::rules::{Callers, PREFIXES, SENDERS, Subject};
use std::error::Error;
use std::time::Duration;

#[derive(Args)]
pub struct Ruling {
    /// Numbers of rules; each has ten prefixes. The first one is what the others are compared with.
    #[arg(long, value_delimiter = ',', default_value = "10,1000,100000")]
    rules: Vec<usize>,
    /// Rounds; in each, every number of rules has its turn.
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// CPU time of a slice.
const SLICE: Duration = Duration::from_millis(60);

/// Turns of gateways that differ in their rules alone.
fn in_turns(args: &Ruling, subjects: &[Subject], document: &mut Document) -> Result<(), Box<dyn Error>> {
    let (keys, tsc) = (KeyRing::new(), Tsc::new());
    let most = subjects.iter().max_by_key(|subject| subject.count).ok_or("no number of rules")?;
    let mut gateways = vec![(0, most.gateway(false, &keys)?)];
    for subject in subjects {
        gateways.push((subject.count, subject.gateway(true, &keys)?));
    }
    for _ in 0..args.rounds.max(1) {
        let (mut none, mut first, mut first_policy) = (None, None, None);
        for (count, gateway) in &mut gateways {
            measure::run(gateway, SLICE / 4);
            let outcome = measure::run(gateway, SLICE);
            if outcome.messages == 0 {
                return Err("no message was judged in a slice".into());
            }
            let policy = policy_ns(&mut gateway.worker, &tsc, SLICE);
            document.add(&format!("policy_{count}_screen_ns"), "ns", policy.screen);
            document.add(&format!("policy_{count}_apply_ns"), "ns", policy.apply);
            document.add(&format!("policy_{count}_ns"), "ns", policy.whole());
            document.add(&format!("policy_{count}_mean_ns"), "ns", policy.mean);
            let stages = by_stage(&mut gateway.worker, &tsc, SLICE, None);
            let step = stages.ns(Stage::Claims) + stages.ns(Stage::Verdict);
            document.add(&format!("turn_{count}_ns"), "ns", outcome.ns());
            document.add(&format!("turn_{count}_step_ns"), "ns", step);
            let none = *none.get_or_insert(outcome.ns());
            if *count > 0 {
                let least = *first_policy.get_or_insert(policy.whole());
                document.add(&format!("policy_{count}_ratio_to_first"), "", policy.whole() / least);
                let first = *first.get_or_insert(step);
                document.add(&format!("turn_{count}_added_ns"), "ns", outcome.ns() - none);
                document.add(&format!("turn_{count}_step_ratio_to_first"), "", step / first);
            }
        }
    }
    Ok(())
}

pub fn run(args: &Ruling) -> Result<(), Box<dyn Error>> {
    let mut document = Document::begin("rules");
    let subjects: Vec<Subject> = args.rules.iter().map(|count| Subject::new(*count)).collect();
    for subject in &subjects {
        let (count, report) = (subject.count, subject.report);
        let prefixes = (count * PREFIXES).max(1) as f64;
        document.add(&format!("rules_{count}_compile_ms"), "ms", report.took.as_secs_f64() * 1e3);
        document.add(&format!("rules_{count}_octets_per_prefix"), "octets", report.octets as f64 / prefixes);
    }
    let mixes = [("", Callers::All), ("_senders", Callers::Senders)];
    for _ in 0..args.rounds.max(1) {
        for (name, callers) in mixes {
            let mut least = None;
            for subject in &subjects {
                let (ns, share) = subject.look(callers);
                let least = *least.get_or_insert(ns);
                let count = subject.count;
                document.add(&format!("rules_{count}{name}_ns"), "ns", ns);
                document.add(&format!("rules_{count}{name}_ratio_to_first"), "", ns / least);
                document.add(&format!("rules_{count}{name}_found"), "share", share);
            }
        }
    }
    in_turns(args, &subjects, &mut document)?;
    if args.json {
        return document.print(true);
    }
    println!(
        "one look at the rules, CPU time of one core, median of {} rounds (lowest to highest)",
        args.rounds.max(1)
    );
    for (name, callers) in mixes {
        match callers {
            Callers::All => println!("callers under all prefixes alike"),
            Callers::Senders => println!("callers of {SENDERS} nodes, again and again"),
        }
        for subject in &subjects {
            let count = subject.count;
            let figure = |what: &str| document.figures.get(&format!("rules_{count}{name}_{what}"));
            let (Some(ns), Some(ratio)) = (figure("ns"), figure("ratio_to_first")) else { continue };
            println!(
                "{count:>10} rules  {:>6.1} ns ({:.1} to {:.1})  {:.2} times the first ({:.2} to {:.2})",
                ns.median, ns.low, ns.high, ratio.median, ratio.low, ratio.high
            );
        }
    }
    println!(
        "a message's whole turn, unsigned, of {SENDERS} nodes; what rules add to it; and its step of claims, policy and verdict"
    );
    for (i, subject) in [0].into_iter().chain(args.rules.iter().copied()).enumerate() {
        let figure = |what: &str| document.figures.get(&format!("turn_{subject}_{what}"));
        let (Some(ns), Some(step)) = (figure("ns"), figure("step_ns")) else { continue };
        print!(
            "{subject:>10} rules  {:>6.1} ns ({:.1} to {:.1})  step {:.1} ns",
            ns.median, ns.low, ns.high, step.median
        );
        match (figure("added_ns"), figure("step_ratio_to_first")) {
            (Some(added), Some(ratio)) if i > 0 => println!(
                "  rules {:.1} ns ({:.1} to {:.1})  step {:.2} times the first ({:.2} to {:.2})",
                added.median, added.low, added.high, ratio.median, ratio.low, ratio.high
            ),
            _ => println!(),
        }
    }
    println!(
        "its policy step timed in the turn, median of messages: checks and search for a rule, and what they come to"
    );
    for subject in [0].into_iter().chain(args.rules.iter().copied()) {
        let figure = |what: &str| document.figures.get(&format!("policy_{subject}_{what}"));
        let (Some(ns), Some(screen), Some(apply), Some(mean)) = (
            document.figures.get(&format!("policy_{subject}_ns")),
            figure("screen_ns"),
            figure("apply_ns"),
            figure("mean_ns"),
        ) else {
            continue;
        };
        print!(
            "{subject:>10} rules  {:>6.1} ns ({:.1} to {:.1}): {:.1} and {:.1}, mean {:.1}",
            ns.median, ns.low, ns.high, screen.median, apply.median, mean.median
        );
        match figure("ratio_to_first") {
            Some(ratio) => println!("  {:.2} times the first ({:.2} to {:.2})", ratio.median, ratio.low, ratio.high),
            None => println!(),
        }
    }
    println!("memory and compiling");
    for subject in &subjects {
        let (count, report) = (subject.count, subject.report);
        println!(
            "{count:>10} rules  {} prefixes  {:.1} octets each with all that belongs to it  {:.1} ms",
            count * PREFIXES,
            report.octets as f64 / (count * PREFIXES).max(1) as f64,
            report.took.as_secs_f64() * 1e3
        );
    }
    Ok(())
}
