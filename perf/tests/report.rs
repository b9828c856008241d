//! The report of documents written by hand: nothing of them is missing, nothing in them is markup, nothing is hidden.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use sealgate_perf::model::{Model, Observation, Setting};
use sealgate_perf::record::Document;
use sealgate_perf::report::{self, SCALE, Written};

type Tested = Result<(), Box<dyn Error>>;

/// A folder of one test, empty.
fn folder(name: &str) -> Result<PathBuf, Box<dyn Error>> {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report").join(name);
    match fs::remove_dir_all(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(path),
    }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn fixtures() -> Vec<PathBuf> {
    ["synthetic-load.json", "synthetic-loop.json", "synthetic-sweep.json"].map(fixture).into()
}

fn write(documents: &[PathBuf], folder: &Path, force: bool) -> Result<Written, Box<dyn Error>> {
    report::write(documents, folder, force, |_, _| {})
}

/// The text of the page between its tags.
fn text(page: &str) -> String {
    let body = page.split_once("<body>").map_or("", |(_, body)| body);
    let (mut out, mut inside) = (String::new(), false);
    for char in body.chars() {
        match char {
            '<' => inside = true,
            '>' => {
                inside = false;
                out.push(' ');
            }
            _ if !inside => out.push(char),
            _ => {}
        }
    }
    out
}

/// Numbers in the order of a text, thousands not apart.
fn numbers(text: &str) -> Vec<f64> {
    let plain = text.replace(',', "");
    let digits = plain.split(|char: char| !(char.is_ascii_digit() || char == '.' || char == '-'));
    digits.filter_map(|part| part.trim_end_matches('.').parse().ok()).collect()
}

#[test]
fn every_number_is_on_the_page() -> Tested {
    let dir = folder("numbers")?;
    let written = write(&fixtures(), &dir, false)?;
    let found = numbers(&text(&fs::read_to_string(written.page)?));
    // What is shown has four digits that count.
    let there = |value: f64| found.iter().any(|seen| (seen - value).abs() <= value.abs() * 6e-4 + 1e-9);
    let mut asked = 0;
    let mut ask = |what: &str, value: f64| {
        asked += 1;
        if there(value) { Ok(()) } else { Err(format!("{what} {value} is not on the page")) }
    };
    for path in fixtures() {
        let document = Document::read(&path)?;
        for (name, figure) in &document.figures {
            for value in [figure.median, figure.low, figure.high] {
                ask(name, value)?;
            }
            ask(name, (figure.spread * 1000.0).round() / 10.0)?;
        }
        for series in &document.series {
            for point in &series.points {
                for value in [point.x, point.y, point.low, point.high] {
                    ask(&series.name, value)?;
                }
            }
            for (_, y) in &series.model {
                ask(&series.name, *y)?;
            }
        }
        for latency in &document.latencies {
            ask(&latency.name, latency.offered_per_s)?;
            ask(&latency.name, latency.count as f64)?;
            for share in [50.0, 90.0, 99.0, 99.9, 99.99, 100.0] {
                let us = latency.percentiles.iter().find(|(known, _)| *known == share).ok_or("percentile")?.1;
                ask(&latency.name, us)?;
            }
        }
        for trial in &document.trials {
            let counts = [trial.sent, trial.received, trial.lost, trial.duplicates, trial.misordered, trial.misjudged];
            for value in counts.into_iter().map(|count| count as f64).chain(trial.latency_us) {
                ask(&trial.phase, value)?;
            }
            for value in [trial.target_per_s, trial.offered_per_s, trial.tester.longest_gap_us] {
                ask(&trial.phase, value)?;
            }
        }
    }
    assert!(asked > 400, "only {asked} numbers were looked for");
    Ok(())
}

#[test]
fn names_notes_machine_and_commit_are_on_the_page() -> Tested {
    let written = write(&fixtures(), &folder("names")?, false)?;
    let page = text(&fs::read_to_string(written.page)?);
    for path in fixtures() {
        let document = Document::read(&path)?;
        let machine = &document.run.machine;
        for text in document.figures.keys().chain(&document.notes).chain([&machine.processor, &machine.commit]) {
            assert!(page.contains(text.as_str()), "{text} is not on the page");
        }
        for latency in &document.latencies {
            assert!(page.contains(&latency.name.replace('\'', "&#39;")), "{} is not on the page", latency.name);
        }
    }
    assert!(
        page.contains("the crates m3ua, sccp, tcap and gsm_map on the same octets"),
        "a ratio does not say against what"
    );
    Ok(())
}

#[test]
fn a_spoiled_trial_is_seen_and_not_only_counted() -> Tested {
    let written = write(&fixtures(), &folder("spoiled")?, false)?;
    assert!(written.warnings.iter().any(|warning| warning.contains("2 of 16 trials")), "{:?}", written.warnings);
    let page = fs::read_to_string(&written.page)?;
    // Above all plots, in the plot as a mark of its own, and with its cause in what stands open.
    let (top, rest) = page.split_once("<div class=\"plots\">").ok_or("no plots")?;
    assert!(top.contains("2 of 16 trials"));
    assert_eq!(top.matches("<b>2 of 16</b>").count(), 2, "beside the rate, and beside the latency");
    assert_eq!(page.matches("<path class=\"bad\"").count(), 3, "two trials, and the one that explains the mark");
    let (_, open) = rest.split_once("<details open>").ok_or("nothing stands open")?;
    let open = open.split("</details>").next().unwrap_or("");
    assert!(open.contains("core taken away 3 times") && open.contains("poll gap of 4,310 us"), "{open}");

    // Without spoiled trials nothing of this is there.
    let mut calm = Document::read(&fixture("synthetic-load.json"))?;
    calm.trials.iter_mut().for_each(|trial| trial.spoiled = None);
    let dir = folder("calm")?;
    fs::create_dir_all(&dir)?;
    let path = dir.join("calm.json");
    fs::write(&path, serde_json::to_string(&calm)?)?;
    let written = write(&[path], &dir.join("out"), false)?;
    assert!(!written.warnings.iter().any(|warning| warning.contains("spoiled")), "{:?}", written.warnings);
    Ok(())
}

const HOSTILE: &str = "</text></svg><script>alert(1)</script>\"' onload=x&lt;\u{0}\u{202e}<img src=x onerror=y>";

#[test]
fn text_of_documents_is_never_markup() -> Tested {
    let dir = folder("hostile")?;
    fs::create_dir_all(&dir)?;
    let mut document = Document::read(&fixture("synthetic-load.json"))?;
    let run = &mut document.run;
    run.command = HOSTILE.to_owned();
    run.arguments = vec![HOSTILE.to_owned()];
    run.machine.processor = HOSTILE.to_owned();
    run.machine.kernel = HOSTILE.to_owned();
    run.machine.commit = HOSTILE.to_owned();
    run.machine.build = HOSTILE.to_owned();
    document.notes = vec![HOSTILE.to_owned()];
    for trial in &mut document.trials {
        trial.phase = HOSTILE.to_owned();
        trial.spoiled = Some(HOSTILE.to_owned());
    }
    for latency in &mut document.latencies {
        latency.name = HOSTILE.to_owned();
        latency.file = Some("../../../../etc/passwd".to_owned());
    }
    for series in &mut document.series {
        (series.name, series.title) = (HOSTILE.to_owned(), HOSTILE.to_owned());
        (series.x.label, series.x.unit) = (HOSTILE.to_owned(), HOSTILE.to_owned());
        (series.y.label, series.y.unit) = (HOSTILE.to_owned(), HOSTILE.to_owned());
    }
    let figure = document.figures.get("unsigned.ndr_msgs_per_s").ok_or("figure")?.clone();
    for name in [format!("{HOSTILE}_ratio"), format!("{HOSTILE}_stage_{HOSTILE}_ns")] {
        let unit = if name.ends_with("ns") { "ns" } else { "" };
        document.figures.insert(name, sealgate_perf::record::Figure { unit: unit.to_owned(), ..figure.clone() });
    }
    let path = dir.join("<script>alert(2)<&'\".json");
    fs::write(&path, serde_json::to_string(&document)?)?;
    let written = write(&[path], &dir.join("out"), false)?;
    let page = fs::read_to_string(&written.page)?;
    for markup in ["<script", "<img", "onload=x&lt;<", "\u{202e}", "\u{0}"] {
        assert!(!page.contains(markup), "{markup:?} is in the page");
    }
    assert!(page.matches("&lt;script&gt;alert(1)").count() > 20, "the text itself is shown");
    assert!(!dir.join("out/raw/1/passwd").exists(), "what is not beside the document is not copied");
    assert!(written.warnings.iter().any(|warning| warning.contains("etc/passwd")), "{:?}", written.warnings);
    for svg in files(&dir.join("out/plots"), "svg")? {
        let svg = fs::read_to_string(svg)?;
        let tree = roxmltree::Document::parse(&svg)?;
        assert!(!tree.descendants().any(|node| ["script", "img"].contains(&node.tag_name().name())));
    }
    Ok(())
}

fn files(folder: &Path, kind: &str) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, std::io::Error>>()?;
    Ok(paths.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == kind)).collect())
}

#[test]
fn each_plot_is_a_drawing_and_a_picture() -> Tested {
    let dir = folder("plots")?;
    let written = write(&fixtures(), &dir, false)?;
    let drawings = files(&dir.join("plots"), "svg")?;
    assert_eq!((drawings.len(), files(&dir.join("plots"), "png")?.len()), (written.plots, written.plots));
    assert_eq!(written.plots, 9, "rates, latency of two mixes, stages, four sweeps, trials");
    for path in drawings {
        let svg = fs::read_to_string(&path)?;
        let tree = roxmltree::Document::parse(&svg)?;
        let root = tree.root_element();
        let size = |name: &str| root.attribute(name).and_then(|size| size.parse::<u32>().ok()).ok_or("size");
        let (width, height) = (size("width")?, size("height")?);
        assert!(tree.descendants().filter(|node| node.has_tag_name((SVG, "text"))).count() > 5, "{}", path.display());

        let png = fs::File::open(path.with_extension("png"))?;
        let mut reader = png::Decoder::new(std::io::BufReader::new(png)).read_info()?;
        let mut octets = vec![0; reader.output_buffer_size().ok_or("size of the picture")?];
        let info = reader.next_frame(&mut octets)?;
        assert_eq!((info.width, info.height), (width * SCALE, height * SCALE), "{}", path.display());
        let row = info.line_size;
        let colours = |rows: &[u8]| rows.chunks_exact(4).map(<[u8]>::to_vec).collect::<BTreeSet<_>>().len();
        assert!(colours(&octets) > 40, "{} is nearly blank", path.display());
        // The title is there as ink: a font was found.
        let title = octets.get(..row * 40 * SCALE as usize).ok_or("rows")?;
        assert!(colours(title) > 10, "{} has no text", path.display());
    }
    Ok(())
}

const SVG: &str = "http://www.w3.org/2000/svg";

#[test]
fn the_page_needs_nothing_from_elsewhere() -> Tested {
    let dir = folder("alone")?;
    let page = fs::read_to_string(write(&fixtures(), &dir, false)?.page)?;
    for foreign in ["http://", "https://", "src=", "@import", "<link", "<script"] {
        assert!(!page.contains(foreign), "{foreign} is in the page");
    }
    // Every link leads to a file of the report, every drawing in the page is well-formed.
    for link in page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(dir.join(link).is_file(), "{link}");
    }
    for drawing in page.split("<svg ").skip(1) {
        let drawing = drawing.split("</svg>").next().unwrap_or("");
        roxmltree::Document::parse(&format!("<svg {drawing}</svg>"))?;
    }
    for dark in ["prefers-color-scheme: dark", "@media print"] {
        assert!(page.contains(dark), "{dark}");
    }
    let raw = fs::read(dir.join("raw/1/synthetic-load.json"))?;
    assert_eq!(raw, fs::read(fixture("synthetic-load.json"))?, "raw documents are copied as they are");
    assert_eq!(fs::read(dir.join("raw/1/synthetic-unsigned-50.hdr"))?, fs::read(fixture("synthetic-unsigned-50.hdr"))?);
    Ok(())
}

#[test]
fn only_an_earlier_report_is_replaced() -> Tested {
    let dir = folder("folders")?;
    fs::create_dir_all(&dir)?;
    fs::write(dir.join("thesis.tex"), "ten years of work")?;
    let fault = write(&fixtures(), &dir, false).err().ok_or("other files are no obstacle")?.to_string();
    assert!(fault.contains("thesis.tex") && fault.contains("--force"), "{fault}");
    write(&fixtures(), &dir, true)?;
    let trials = dir.join("plots/1-trials.svg");
    assert!(trials.exists() && dir.join("thesis.tex").exists());

    // Again, from the copies in the report itself, with fewer documents: what is not made any more is gone.
    let raw = dir.join("raw/2/synthetic-loop.json");
    let written = write(&[raw], &dir, false)?;
    assert!(!trials.exists() && dir.join("thesis.tex").exists() && written.page.exists());
    assert!(dir.join("raw/1/synthetic-loop.json").exists() && !dir.join("raw/2").exists());

    // A list that somebody changed removes nothing outside.
    let victim = dir.with_extension("victim");
    fs::write(&victim, "stays")?;
    let list = fs::read_to_string(dir.join("files.txt"))?;
    let outside = format!("{list}../folders.victim\n{}\n", victim.display());
    fs::write(dir.join("files.txt"), outside)?;
    write(&fixtures(), &dir, false)?;
    assert!(victim.exists());
    Ok(())
}

#[test]
fn what_cannot_be_reported_is_said() -> Tested {
    let dir = folder("faults")?;
    fs::create_dir_all(&dir)?;
    let fault = |documents: &[PathBuf], out: &Path| {
        write(documents, out, false).err().map_or_else(|| "no fault".to_owned(), |fault| fault.to_string())
    };
    assert!(fault(&[], &dir.join("out")).contains("--json"), "says how a document is made");
    let none = dir.join("none.json");
    assert!(fault(std::slice::from_ref(&none), &dir.join("out")).contains("none.json"));
    fs::write(&none, "{\"a\": 1}")?;
    let said = fault(std::slice::from_ref(&none), &dir.join("out"));
    assert!(said.contains("none.json") && said.contains("not a document"), "{said}");
    assert!(!dir.join("out").exists(), "nothing was written for what cannot be read");
    assert!(fault(&fixtures(), &none).contains("is a file"));
    Ok(())
}

#[test]
fn a_model_is_shown_with_its_errors_and_its_range() -> Tested {
    // Circumstances all over the place, and costs of an equation that has nothing to do with a gateway.
    let mut state = 1_u64;
    let mut random = |most: f64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / (1_u64 << 24) as f64 * most
    };
    let mut point = |place: u32| {
        let setting = Setting {
            signed: random(1.0),
            offload: place % 2 == 1,
            burst: 1.0 + random(31.0),
            octets: 100.0 + random(200.0),
            sms: random(1.0),
            peers: 1.0 + random(9999.0),
            keys: 1.0 + random(999.0),
            prefixes: 1.0 + random(999_999.0),
        };
        Observation { setting, ns: 700.0 + setting.octets + 3000.0 * setting.signed }
    };
    let points: Vec<_> = (0..60).map(&mut point).collect();
    let mut document = Document::read(&fixture("synthetic-sweep.json"))?;
    let model = Model::fit(2.75, &points, &[])?;
    document.model = Some(model.clone());
    let dir = folder("model")?;
    fs::create_dir_all(&dir)?;
    let path = dir.join("sweep.json");
    fs::write(&path, serde_json::to_string(&document)?)?;
    let page = text(&fs::read_to_string(write(&[path], &dir.join("out"), false)?.page)?);
    let found = numbers(&page);
    for coefficient in &model.worker.coefficients {
        assert!(page.contains(&coefficient.meaning), "{}", coefficient.meaning);
        let there = found.iter().any(|seen| (seen - coefficient.ns).abs() <= coefficient.ns.abs() * 6e-4 + 1e-6);
        assert!(there, "{coefficient:?}");
    }
    for (name, (low, high)) in &model.swept {
        let there = |value: f64| found.iter().any(|seen| (seen - value).abs() <= value.abs() * 6e-4);
        assert!(there(*low) && there(*high), "{name}");
    }
    assert!(page.contains("at 2.75 GHz") && page.contains("a core of its own"), "clock and assumptions");
    Ok(())
}
