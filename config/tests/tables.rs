//! Tables of the built-in checks: read, extended, replaced, printed, and every fault of an operator's own file.

use std::path::PathBuf;

use sealgate_config::tables::{CAP, DIAMETER, MAP};
use sealgate_config::{Category, Policy, load_policy};

const POLICY: &str = "version: 1\nhome: {gt_prefixes: [{plan: e164, digits: \"99901\"}], plmns: [\"00101\"]}\n\
                      links: {l: {type: m3ua, remote: [192.0.2.1], local: [192.0.2.2], opcs: [1], dpcs: [2]}}\n";

/// A directory with a policy that names own tables, gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("sealgate-tables-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a directory");
        Self(path)
    }

    fn put(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).expect("written");
    }

    fn load(&self, more: &str) -> Result<Policy, String> {
        self.put("policy.yaml", &format!("{POLICY}{more}"));
        let home = format!("{}/", self.0.display());
        load_policy(&self.0.join("policy.yaml")).map_err(|faults| faults.to_string().replace(&home, ""))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn category(policy: &Policy, code: u8) -> Option<Category> {
    policy.tables.map.operations.iter().find(|row| row.code == code).map(|row| row.category)
}

#[test]
fn our_own_tables_are_whole() {
    let policy = Policy::parse(POLICY).unwrap_or_else(|faults| panic!("{faults}"));
    let tables = &policy.tables;
    assert_eq!((tables.map.operations.len(), tables.map.contexts.len()), (86, 79));
    assert_eq!((tables.cap.operations.len(), tables.cap.contexts.len()), (55, 15));
    assert_eq!(tables.diameter.len(), 12);
    assert_eq!(category(&policy, 71), Some(Category::Cat1));
    let clauses =
        tables.map.operations.iter().map(|row| &row.clause).chain(tables.cap.contexts.iter().map(|row| &row.clause));
    assert!(clauses.into_iter().all(|clause| clause.starts_with("TS ") && clause.contains('§')));
    // What was in force before there were tables still is.
    let map = &policy.categories.map;
    assert!([22, 24, 58, 62, 65, 71].iter().all(|code| map.cat1.contains(code)));
    assert!([3, 4, 7, 8, 70].iter().all(|code| map.cat2.contains(code)));
    assert!([317, 319, 320].iter().all(|code| policy.categories.diameter.cat2.contains(code)));
    assert!(policy.to_yaml().lines().all(|line| !line.starts_with("tables")), "no file, no key");
}

#[test]
fn what_is_printed_puts_itself_in_its_place() {
    let folder = Folder::new("print");
    folder.put("m.yaml", MAP);
    folder.put("c.yaml", CAP);
    folder.put("d.yaml", DIAMETER);
    let more = "tables: {map: m.yaml, cap: c.yaml, diameter: d.yaml}\n";
    let own = folder.load(more).unwrap_or_else(|faults| panic!("{faults}"));
    let ours = Policy::parse(POLICY).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(
        (&own.tables.map, &own.tables.cap, &own.tables.diameter),
        (&ours.tables.map, &ours.tables.cap, &ours.tables.diameter)
    );
    folder.put("m.yaml", &own.tables.map.to_yaml());
    folder.put("c.yaml", &own.tables.cap.to_yaml());
    folder.put("d.yaml", &own.tables.diameter_to_yaml());
    assert_eq!(folder.load(more).as_ref(), Ok(&own));
    // The effective policy names the files, wherever it is read.
    assert_eq!(Policy::parse(&own.to_yaml()).as_ref(), Ok(&own));
}

#[test]
fn an_entry_comes_on_top_or_in_the_place_of_ours() {
    let folder = Folder::new("extend");
    let own = "version: 1\nextend: yes\noperations:\n\
               - {code: 71, name: anyTimeInterrogation, category: cat3, clause: \"bilateral\"}\n\
               - {code: 200, name: ours, category: cat1, clause: \"bilateral\"}\n\
               contexts:\n- {oid: \"1.3.6.1.4.1.32473.9.300\", name: own, version: 3, initiator: [200], responder: [], clause: x}\n";
    folder.put("own.yaml", own);
    let policy = folder.load("tables: {map: own.yaml}\n").unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(
        [71, 200, 22].map(|code| category(&policy, code)),
        [Category::Cat3, Category::Cat1, Category::Cat1].map(Some)
    );
    let contexts = &policy.tables.map.contexts;
    assert_eq!(contexts.len(), 80);
    assert_eq!(contexts.last().map(|row| &row.oid[..]), Some(&[43, 6, 1, 4, 1, 0x81, 0xfd, 0x59, 9, 0x82, 0x2c][..]));
    assert!(policy.categories.map.cat3.contains(&71) && !policy.categories.map.cat1.contains(&71));
    let both = folder.load("tables: {map: own.yaml}\ncategories: {map: {cat2: [71]}}\n").expect("good");
    assert!(both.categories.map.cat2 == [71] && !both.categories.map.cat3.contains(&71), "categories come last");
    folder.put("own.yaml", &own.replace("extend: yes", "extend: no"));
    let alone = folder.load("tables: {map: own.yaml}\n").unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!((alone.tables.map.operations.len(), alone.tables.map.contexts.len()), (2, 1));
    assert_eq!(alone.tables.cap.operations.len(), 55, "the others stay ours");
}

#[test]
fn an_application_of_one_s_own_can_be_allowed_on_a_link() {
    let folder = Folder::new("diameter");
    folder.put(
        "d.yaml",
        "version: 1\nextend: yes\napplications:\n- {id: 16777999, key: mine, name: Mine, clause: x, commands: \
         [{code: 9000, name: Ask, category: cat2, clause: x}]}\n",
    );
    let links = "tables: {diameter: d.yaml}\n";
    let policy = POLICY.replace(
        "links: {",
        "links: {d: {type: diameter, remote: [192.0.2.3], local: [192.0.2.4], applications: [s6a, mine]}, ",
    );
    folder.put("policy.yaml", &format!("{policy}{links}"));
    let read = load_policy(&folder.0.join("policy.yaml")).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(read.links[0].applications, [16_777_251, 16_777_999]);
    assert!(read.categories.diameter.cat2.contains(&9000));
    assert_eq!(Policy::parse(&read.to_yaml()).as_ref(), Ok(&read));
}

#[test]
fn every_fault_names_file_line_key_and_remedy() {
    let folder = Folder::new("faults");
    let op = "- {code: 2, name: a, category: none, clause: x}\n";
    let cases = [
        ("version: 2\n", "own.yaml:1: version: 2 is out of range; give 1 to 1"),
        ("extend: yes\n", "own.yaml:1: version: missing; give it, as version: 1"),
        ("version: 1\nextend: maybe\n", "own.yaml:2: extend: \"maybe\" is neither yes nor no; use yes or no"),
        (
            "version: 1\noperation: []\n",
            "own.yaml:2: operation: unknown key (did you mean \"operations\"?); known here: version, extend, operations, contexts",
        ),
        (
            "version: 1\noperations:\n- {code: 2, name: a, category: cat9, clause: x}\n",
            "own.yaml:3: operations[0].category: \"cat9\" is not a category (did you mean \"cat1\"?); use none, cat1, cat2 or cat3",
        ),
        (
            "version: 1\noperations:\n- {code: 256, name: a, category: none, clause: x}\n",
            "own.yaml:3: operations[0].code: 256 is out of range; give 0 to 255 (an operation code)",
        ),
        (
            "version: 1\noperations:\n- {code: 2, name: a, category: none}\n",
            "own.yaml:3: operations[0].clause: missing; give it, as clause: \"TS 29.002 §8.1\"",
        ),
        (
            "version: 1\noperations:\n- {code: 2, name: a, category: none, clause: x}\n- {code: 2, name: b, category: none, clause: x}\n",
            "own.yaml:4: operations[1]: this entry stands here twice; keep one; the first is on line 3",
        ),
        (
            "version: 1\noperations:\n- {code: 2, nam: a, category: none, clause: x}\n",
            "own.yaml:3: operations[0].name: missing; give it, as name: updateLocation\nown.yaml:3: operations[0].nam: unknown key (did you mean \"name\"?); known here: code, name, category, clause",
        ),
        (
            "version: 1\noperations:\nOPcontexts:\n- {oid: \"0.4.0\", name: c, version: 3, initiator: [2, 3], responder: [], clause: x}\n",
            "own.yaml:5: contexts[0].initiator[1]: there is no operation 3; add it to operations, with its name and category",
        ),
        (
            "version: 1\noperations:\nOPcontexts:\n- {oid: \"0.4\", name: c, version: 3, initiator: [2], responder: [], clause: x}\n",
            "own.yaml:5: contexts[0].oid: \"0.4\" is not an object identifier; give its numbers, as \"0.4.0.0.1.0.1.3\"",
        ),
        (
            "version: 1\noperations:\nOPcontexts:\n- {oid: \"0.40.1\", name: c, version: 3, initiator: [2], responder: [], clause: x}\n",
            "own.yaml:5: contexts[0].oid: \"0.40.1\" is not an object identifier; give its numbers, as \"0.4.0.0.1.0.1.3\"",
        ),
        (
            "version: 1\noperations:\nOPcontexts:\n- {oid: \"0.4.0\", name: c, version: 5, initiator: [2, 2], responder: [2], clause: x}\n",
            "own.yaml:5: contexts[0].version: 5 is out of range; give 1 to 4\nown.yaml:5: contexts[0].initiator[1]: 2 stands here twice; keep one; the first is on line 5",
        ),
    ];
    for (text, want) in cases {
        folder.put("own.yaml", &text.replace("OP", op));
        let faults = folder.load("tables: {map: own.yaml}\n").expect_err(text);
        assert_eq!(faults, want, "{text}");
    }
    let diameter = [
        (
            "version: 1\nextend: yes\napplications:\n- {id: 9, key: s6a, name: n, clause: x, commands: [{code: 1, name: a, category: none, clause: x}]}\n",
            "own.yaml:4: applications[0].key: application 16777251 has the key s6a already; give another",
        ),
        (
            "version: 1\nextend: yes\napplications:\n- {id: 9, key: mine, name: n, clause: x, commands: [{code: 316, name: a, category: none, clause: x}]}\n",
            "own.yaml:4: applications[0].commands[0]: command 316 has another category in application s6a; give it the same: a category holds for a command code",
        ),
        (
            "version: 1\napplications:\n- {id: 9, key: \"A b\", name: n, clause: x, commands: []}\n",
            "own.yaml:3: applications[0].key: \"A b\" cannot be a key; use 1 to 32 small letters, digits or _\nown.yaml:3: applications[0].commands: the list is empty; give at least one, as [{code: 316, name: Update-Location, category: cat3, clause: \"TS 29.272 §7.2\"}]",
        ),
    ];
    for (text, want) in diameter {
        folder.put("own.yaml", text);
        assert_eq!(folder.load("tables: {diameter: own.yaml}\n").expect_err(text), want, "{text}");
    }
    // A policy with faults of its own shows those of its tables as well.
    let both = folder.load("tables: {map: own.yaml, cpa: x, cap: gone.yaml}\n").expect_err("both");
    assert!(
        both.starts_with("policy.yaml:4: tables.cpa: unknown key (did you mean \"map\"?)")
            || both.contains("tables.cpa: unknown key"),
        "{both}"
    );
    assert!(
        both.contains("own.yaml:2: applications: unknown key") && both.contains("gone.yaml: cannot be read"),
        "{both}"
    );
}
