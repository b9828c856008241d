use super::*;

const DAY: i64 = 86_400;
/// Fourteen days.
const BEFORE: u32 = 14 * 86_400;
/// The certificate of these tests ends then.
const END: i64 = 400 * DAY;

fn names(renewal: &Renewal) -> Vec<&'static str> {
    renewal.alarms().iter().map(|(alarm, _)| alarm.name()).collect()
}

fn failed() -> Outcome {
    Outcome::Failed("no answer".to_owned())
}

#[test]
fn gateways_renew_in_the_first_tenth_of_the_time_they_have() {
    let begin = END - i64::from(BEFORE);
    let dues: Vec<i64> = (0..1000u32).map(|n| Renewal::new(END, BEFORE, n.wrapping_mul(2_654_435_761)).due()).collect();
    assert!(dues.iter().all(|due| (begin..begin + i64::from(BEFORE) / 10).contains(due)));
    let (first, last) = (dues.iter().min().copied(), dues.iter().max().copied());
    assert!(last.zip(first).is_some_and(|(last, first)| last - first > DAY), "not all at once");
}

#[test]
fn failures_are_repeated_ever_more_rarely_and_heard_of_at_the_third() {
    let mut renewal = Renewal::new(END, BEFORE, 0);
    let mut now = renewal.due();
    let mut pauses = Vec::new();
    for count in 1..=12 {
        renewal.took(failed(), now, 0);
        assert_eq!(names(&renewal).contains(&"enrolment_failed"), count >= 3, "{count}");
        pauses.push(renewal.due() - now);
        now = renewal.due();
    }
    assert_eq!(pauses[..4], [60, 120, 240, 480]);
    assert_eq!(pauses[11], MAX_PAUSE_S);
    // Chance makes it a tenth longer at most.
    renewal.took(failed(), now, u32::MAX);
    assert!((MAX_PAUSE_S..MAX_PAUSE_S * 11 / 10).contains(&(renewal.due() - now)));
    renewal.took(Outcome::Renewed(now + 398 * DAY), now, 0);
    assert_eq!((names(&renewal), renewal.failures()), (vec![], 0));
    assert_eq!(renewal.due(), now + 398 * DAY - i64::from(BEFORE));
}

#[test]
fn in_the_last_day_it_tries_every_quarter_of_an_hour() {
    let mut renewal = Renewal::new(END, BEFORE, 0);
    for _ in 0..20 {
        renewal.took(failed(), END - DAY / 2, 0);
    }
    assert_eq!(renewal.due(), END - DAY / 2 + LAST_DAY_PAUSE_S);
    renewal.took(Outcome::Refused("no".to_owned()), END - DAY / 2, 0);
    assert_eq!(renewal.due(), END - DAY / 2 + LAST_DAY_PAUSE_S);
}

#[test]
fn a_refusal_is_heard_of_at_once_and_rarely_repeated() {
    let mut renewal = Renewal::new(END, BEFORE, 0);
    let now = renewal.due();
    renewal.took(Outcome::Refused("GT prefix 99903 is not in the records".to_owned()), now, 0);
    assert_eq!((names(&renewal), renewal.due()), (vec!["enrolment_failed"], now + MAX_PAUSE_S));
}

#[test]
fn a_ticket_is_asked_for_as_the_authority_says_and_heard_of_after_a_day() {
    let mut renewal = Renewal::new(END, BEFORE, 0);
    let begin = renewal.due();
    let mut now = begin;
    while now - begin < DAY {
        renewal.took(Outcome::Waiting(30), now, 0);
        assert_eq!((names(&renewal), renewal.due()), (vec![], now + 30));
        now = renewal.due();
    }
    renewal.took(Outcome::Waiting(30), now, 0);
    assert_eq!(names(&renewal), ["enrolment_failed"]);
    renewal.took(Outcome::Waiting(u64::MAX), now, 0);
    assert_eq!(renewal.due(), now + MAX_PAUSE_S, "whatever the authority says");
    renewal.took(Outcome::Renewed(END + DAY), now, 0);
    assert_eq!(names(&renewal), [""; 0]);
}

#[test]
fn a_certificate_near_its_end_wakes_the_operator() {
    let mut renewal = Renewal::new(END, BEFORE, 0);
    let half = i64::from(BEFORE) / 2;
    for (now, want) in [(END - half, false), (END - half + 1, true), (END, true), (END + 1, true)] {
        renewal.look(now);
        assert_eq!(names(&renewal).contains(&"certificate_expires"), want, "{}", END - now);
    }
    assert!(renewal.alarms().iter().all(|(_, one)| one.since == END - half + 1 && one.text.contains("has ended")));
    assert!(Alarm::CertificateExpires.is_critical() && !Alarm::EnrolmentFailed.is_critical());
    renewal.took(Outcome::Renewed(END + 398 * DAY), END + 1, 0);
    assert_eq!(names(&renewal), [""; 0]);
}

#[test]
fn others_have_a_day_to_learn_of_a_new_certificate_unless_the_one_before_ends() {
    let renewal = Renewal::new(END, BEFORE, 0);
    for (now, want) in
        [(END - 14 * DAY, DAY), (END - 2 * DAY, DAY), (END - DAY, DAY / 2), (END, 0), (END + DAY, 0), (0, DAY)]
    {
        assert_eq!(renewal.hold_s(now), want, "{}", END - now);
    }
}

#[test]
fn a_certificate_that_is_no_younger_is_not_asked_for_again_and_again() {
    let mut renewal = Renewal::new(END, BEFORE, 0);
    let now = END - DAY;
    renewal.took(Outcome::Renewed(END), now, 0);
    assert_eq!(renewal.due(), now + FIRST_PAUSE_S);
    renewal.hurry();
    assert!(renewal.due() <= now);
}
