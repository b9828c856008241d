//! The templates of a profile, each in the place of its kind.

use std::error::Error;

use super::Side;
use super::message::{Form, Kind, Style};
use super::operation::Operation;
use super::profile::Profile;
use super::template::Template;

/// The place of a kind's template.
pub(super) fn index(kind: Kind) -> usize {
    let Kind { operation, side, answer, form, extended } = kind;
    let place = (operation as usize * 2 + side as usize) * 3 + form as usize;
    (place * 2 + usize::from(answer)) * 2 + usize::from(extended)
}

/// Templates of all kinds that a profile has a share for.
pub(super) fn templates(profile: &Profile, title_len: usize) -> Result<Vec<Option<Template>>, Box<dyn Error>> {
    let style = Style { title_len, sms_octets: profile.sms_octets.into() };
    let judgement = &profile.judgement;
    let signed = judgement.signed + judgement.forged + judgement.replayed > 0.0;
    let mut templates = Vec::new();
    for operation in Operation::ALL.into_iter().filter(|operation| profile.operations.share(*operation) > 0.0) {
        let exempt = operation.is_exempt();
        for (side, form, wanted) in [
            (Side::Home, Form::Plain, profile.outbound > 0.0),
            (Side::Interconnect, Form::Plain, judgement.unsigned > 0.0 || exempt),
            (Side::Interconnect, Form::Signed, signed && !exempt),
            (Side::Interconnect, Form::Spoofed, judgement.spoofed > 0.0 && !exempt),
        ] {
            for (answer, extended) in [(false, false), (false, true), (true, false), (true, true)] {
                let unasked = profile.answers == 0.0 || form == Form::Spoofed || !operation.is_answered();
                if !wanted || answer && unasked {
                    continue;
                }
                let kind = Kind { operation, side, answer, form, extended };
                let template = Template::new(kind, style).map_err(|layer| format!("{kind:?} does not fit: {layer}"))?;
                let place = index(kind);
                if templates.len() <= place {
                    templates.resize(place + 1, None);
                }
                if let Some(slot) = templates.get_mut(place) {
                    *slot = Some(template);
                }
            }
        }
    }
    Ok(templates)
}
