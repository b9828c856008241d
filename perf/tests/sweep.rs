//! Sweeps over a real worker: every point is there, was judged right, and a model comes of all together.

use std::error::Error;
use std::time::Duration;

use sealgate_perf::record::Document;
use sealgate_perf::sweep::{self, NAMES, Plan, Step};

fn plan(only: &[&str]) -> Plan {
    Plan {
        only: only.iter().map(|name| (*name).to_owned()).collect(),
        rounds: 2,
        slice: Duration::from_millis(2),
        keys: 10,
        quick: true,
        table_memory: 64 << 20,
        cores: core_affinity::get_core_ids().unwrap_or_default().into_iter().map(|core| core.id).collect(),
        ghz: Some(2.5),
    }
}

fn measure(plan: &Plan) -> Result<(Document, Vec<Step>), Box<dyn Error>> {
    let (mut document, mut steps) = (Document::begin("sweep"), Vec::new());
    sweep::measure(plan, &mut document, |step| steps.push(step))?;
    Ok((document, steps))
}

#[test]
fn a_signature_costs_more_than_none() -> Result<(), Box<dyn Error>> {
    let (document, steps) = measure(&plan(&["signed"]))?;
    let [series] = document.series.as_slice() else { return Err("one sweep was asked for".into()) };
    assert_eq!(series.points.iter().map(|point| point.x).collect::<Vec<_>>(), [0.0, 10.0, 25.0, 50.0, 75.0, 100.0]);
    for point in &series.points {
        assert!(0.0 < point.low && point.low <= point.y && point.y <= point.high, "{point:?}");
    }
    let y = |place: usize| series.points.get(place).map_or(f64::NAN, |point| point.y);
    assert!(y(5) > 1.5 * y(0), "all signed {} ns, none {} ns", y(5), y(0));
    assert!(document.model.is_none() && document.notes.iter().any(|note| note.contains("needs all sweeps")));
    assert_eq!(steps.last(), Some(&Step::Measured(12, 12)));
    Ok(())
}

#[test]
fn all_sweeps_give_their_curves() -> Result<(), Box<dyn Error>> {
    let plan = plan(&[]);
    let (document, _) = measure(&plan)?;
    for name in NAMES {
        let threads = ["offload", "crypto"].contains(&name);
        let series = document.series.iter().find(|series| series.name == name);
        assert_eq!(series.is_some(), !threads || plan.cores.len() > 1, "{name}");
        if let Some(series) = series.filter(|_| !threads && name != "workers") {
            assert!(series.points.len() >= 3, "{name}: {:?}", series.points);
        }
    }
    assert!(document.model.is_some(), "{:?}", document.notes);
    // A document is read as it was written, its model too.
    let text = serde_json::to_string(&document)?;
    let again: Document = serde_json::from_str(&text)?;
    assert_eq!((again.series, again.model), (document.series, document.model));
    Ok(())
}

#[test]
fn what_cannot_be_swept_is_refused() {
    let fault = |plan: Plan| measure(&plan).map(drop).map_err(|fault| fault.to_string());
    let said = |plan, words: &str| assert!(fault(plan).is_err_and(|fault| fault.contains(words)), "{words}");
    said(plan(&["sined"]), "there is no sweep sined");
    said(Plan { rounds: 0, ..plan(&["signed"]) }, "measure nothing");
    said(Plan { keys: 10_001, ..plan(&["keys"]) }, "1 to 10000");
    said(Plan { cores: vec![9999], ..plan(&["signed"]) }, "core 9999");
    said(Plan { cores: Vec::new(), ..plan(&["signed"]) }, "no core");
}
