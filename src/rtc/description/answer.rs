//! The crate's answers, made one and fitted to the offer as it came.
//!
//! The crate answers what it was told (`offer::Plain`), once for each leg. The other side is to find
//! a section for each of its own, in its order and under its names, and nothing that it has not
//! offered (RFC 3264 §6). All legs have one certificate, which the session says once.

use super::offer::{Flow, Offer, Section};

/// What of a section is about its transport.
const OF_TRANSPORT: [&str; 3] = ["a=setup:", "a=ice-ufrag:", "a=ice-pwd:"];

/// The crate's answer for one leg, in parts.
struct Parts<'a> {
    session: Vec<&'a str>,
    sections: std::vec::IntoIter<Vec<&'a str>>,
}

/// The answer that goes out for `offer`, made of one for each of its legs, in their order.
pub(in crate::rtc) fn fitted(offer: &Offer, answers: &[String]) -> String {
    let mut legs: Vec<Parts<'_>> = answers.iter().map(|it| Parts::of(it)).collect();
    let length: usize = answers.iter().map(String::len).sum();
    let mut fitted = String::with_capacity(length + 256);
    // Nobody needs them in a section that is declined, but some take no answer without.
    let first_section = legs.first().and_then(|it| it.sections.as_slice().first());
    let of_transport: Vec<&str> = first_section
        .into_iter()
        .flatten()
        .copied()
        .filter(|line| OF_TRANSPORT.iter().any(|it| line.starts_with(it)))
        .collect();
    let of_session = legs.first().into_iter().flat_map(|it| &it.session);
    of_session
        .filter(|it| !it.starts_with("a=group:"))
        .for_each(|line| push(&mut fitted, line));
    for leg in offer.legs.iter().filter(|leg| leg.is_group()) {
        let names: Vec<&str> = leg
            .served(&offer.sections)
            .filter_map(Section::mid)
            .collect();
        push(&mut fitted, &format!("a=group:BUNDLE {}", names.join(" ")));
    }
    for (index, section) in offer.sections.iter().enumerate() {
        let leg = offer.legs.iter().position(|leg| leg.serves(index));
        let leg = leg.and_then(|leg| legs.get_mut(leg));
        match leg.and_then(|leg| leg.sections.next()) {
            Some(lines) => push_section(&mut fitted, section, &lines),
            None => {
                fitted.push_str(&section.declined());
                of_transport.iter().for_each(|line| push(&mut fitted, line));
            }
        }
    }
    fitted
}

impl<'a> Parts<'a> {
    fn of(answer: &'a str) -> Self {
        let mut session = Vec::new();
        let mut sections = Vec::<Vec<&str>>::new();
        for line in answer.lines() {
            if line.starts_with("m=") {
                sections.push(Vec::new());
            }
            sections.last_mut().unwrap_or(&mut session).push(line);
        }
        Self {
            session,
            sections: sections.into_iter(),
        }
    }
}

fn push_section(fitted: &mut String, section: &Section, lines: &[&str]) {
    for line in lines {
        let Some(attribute) = line.strip_prefix("a=") else {
            match line.split_once(" UDP/TLS/RTP/SAVPF ") {
                Some((head, formats)) if line.starts_with("m=") => {
                    push(fitted, &format!("{head} {} {formats}", section.proto()));
                }
                _ => push(fitted, line),
            }
            continue;
        };
        if let Some(ours) = Flow::named(attribute) {
            let flow = ours.and(section.flow().mirrored());
            push(fitted, &format!("a={}", flow.name()));
            continue;
        }
        let key = attribute.split(':').next().unwrap_or_default();
        let belongs = match key {
            "mid" => section.mid().is_some(),
            "rtcp-mux" => section.has_rtcp_mux(),
            "rtcp-rsize" => section.has_rtcp_rsize(),
            "candidate" => is_for_rtp(attribute),
            _ => true,
        };
        if belongs {
            push(fitted, line);
        }
    }
}

/// Whether a candidate is of the first component: RTCP goes with RTP and has none of its own.
fn is_for_rtp(attribute: &str) -> bool {
    attribute.split_whitespace().nth(1) == Some("1")
}

fn push(text: &mut String, line: &str) {
    text.push_str(line);
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests;
