use super::*;

fn faults(lines: &str) -> Vec<String> {
    let text = format!("{HEADER}\n{lines}");
    Numbering::parse(&text).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

#[test]
fn the_example_file_reads() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/examples/numbering.csv");
    let text = std::fs::read_to_string(path).expect("the example is there");
    let numbering = Numbering::parse(&text).expect("the example is good");
    let kinds: std::collections::BTreeSet<_> = numbering.0.iter().map(|one| one.kind).collect();
    assert_eq!(kinds.len(), Kind::ALL.len(), "each kind is shown");
}

#[test]
fn each_fault_has_its_line_its_column_and_its_remedy() {
    for (line, want) in [
        ("a,gt", "2:1: 2 fields instead of three"),
        ("a,gt,1,2", "2:1: 4 fields instead of three"),
        ("A,gt,1", "2:1: \"A\" cannot name an operator; use 1 to 64"),
        ("root,gt,1", "2:1: \"root\" cannot name"),
        ("abc,gd,1", "2:5: \"gd\" is no kind of identifier; use one of gt, plmn"),
        ("abc,gt,12x", "2:8: \"12x\": use 1 to 15 decimal digits"),
        ("abc,gt, 12", "2:8: \" 12\": use 1 to 15"),
        ("abc,gt,e212:1", "2:8: \"e212:1\": \"e212\" is not a numbering plan"),
        ("abc,plmn,0010", "2:10: \"0010\": use 5 to 6"),
        ("abc,ispc,9-1", "2:10: \"9-1\": use FIRST-LAST"),
        ("abc,realm,a..b", "2:11: \"a..b\" is not a domain name"),
        ("abc,sip_domain,", "2:16: \"\" is not a domain name"),
        ("abc,tn,999+x", "2:8: \"999+x\": \"x\" is not a count"),
        ("abc,tn,999+5", "2:8: telephone numbers \"999\"+5 are not"),
        ("# all of it\n\nabc,tn,1+x", "4:8: "),
    ] {
        let found = faults(line);
        assert!(found.len() == 1 && found[0].starts_with(want), "{line}: {found:?}");
    }
    let found: Vec<_> = Numbering::parse("a,gt,1").expect_err("no header").iter().map(ToString::to_string).collect();
    assert_eq!(found, [format!("1:1: the first line is not the header; write {HEADER}")]);
    assert_eq!(faults(&"x\n".repeat(30)).len(), MAX_FAULTS + 1, "and 10 more");
}

#[test]
fn what_two_operators_would_have_is_an_error() {
    for (lines, want) in [
        ("a,gt,999\nb,gt,999", "3:6: 999 overlaps 999 of a in line 2"),
        ("a,gt,99901\nb,gt,999", "3:6: 999 overlaps 99901 of a in line 2"),
        // A neighbour of the same operator hides nothing.
        ("a,gt,99\na,gt,991\nb,gt,992", "4:6: 992 overlaps 99 of a in line 2"),
        ("a,gt,e214:99\nb,gt,e214:991", "3:6: e214:991 overlaps e214:99 of a"),
        ("a,plmn,00101\nb,plmn,00101", "3:8: 00101 overlaps 00101 of a"),
        ("a,realm,example\nb,realm,B.Example", "3:9: b.example overlaps example of a"),
        ("b,sip_domain,b.example\na,sip_domain,example", "3:14: example overlaps b.example of b"),
        ("a,ispc,1-9\nb,ispc,9", "3:8: 9 overlaps 1-9 of a"),
        ("a,ispc,1-100\na,ispc,2-3\nb,ispc,50-60", "4:8: 50-60 overlaps 1-100 of a"),
        ("a,ispc,1-100\nb,ispc,101-110\na,ispc,102-103", "4:8: 102-103 overlaps 101-110 of b"),
        ("a,ispc,1-50\na,ispc,2-100\nb,ispc,60", "4:8: 60 overlaps 2-100 of a"),
        ("a,tn,9990+10\nb,tn,9995", "3:6: 9995+1 overlaps 9990+10 of a"),
        ("a,gt,99\na,gt,99", "3:6: 99 stands in line 2 already"),
        ("a,ispc,2-2-0\na,ispc,4112", "3:8: 4112 stands in line 2 already"),
    ] {
        let found = faults(lines);
        let one = found.iter().filter(|fault| fault.starts_with(want)).count();
        assert!(one == 1 && found.len() == 1, "{lines:?}: {found:?}");
    }
    for lines in [
        "a,gt,99901\nb,gt,99902\na,gt,9990100",
        "a,gt,99\nb,gt,e214:99",
        "a,plmn,00101\nb,plmn,001010",
        "a,realm,a.example\nb,realm,ba.example\na,sip_domain,b.example",
        "a,ispc,1-9\nb,ispc,10-19\na,ispc,20",
        "a,tn,9990+10\nb,tn,99900+10",
        "a,tn,9990+10\na,tn,9990",
    ] {
        assert_eq!(faults(lines), [""; 0], "{lines:?}");
    }
}

proptest::proptest! {
    /// The sweep finds what comparing each with each finds.
    #[test]
    fn overlaps_are_those_of_each_with_each(
        lines in proptest::collection::vec((0..3u8, 0..2u8, 0..12u16, 0..6u16), 0..12)
    ) {
        let text: Vec<_> = lines.iter().map(|(operator, kind, first, more)| match kind {
            0 => format!("{},gt,{first:b}", char::from(b'a' + operator)),
            _ => format!("{},ispc,{first}-{}", char::from(b'a' + operator), first + more),
        }).collect();
        let mut records: Vec<_> = text.iter().enumerate().filter_map(|(i, line)| record(i + 2, line).ok()).collect();
        records.dedup_by(|one, other| (&one.operator, &one.value) == (&other.operator, &other.value));
        let mut seen = std::collections::BTreeSet::new();
        records.retain(|one| seen.insert((one.operator.clone(), one.value.clone())));
        let clash = records.iter().any(|one| records.iter().any(|other| {
            let both = one.identifiers.intersect(&other.identifiers);
            one.operator != other.operator && !both.is_empty()
        }));
        let mut found = Vec::new();
        overlap::find(&records, &mut found);
        proptest::prop_assert_eq!(clash, !found.is_empty(), "{:?}", text);
    }
}
