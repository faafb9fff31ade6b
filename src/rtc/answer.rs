//! The crate's answer, fitted to the offer as it came.
//!
//! The crate answers what it was told (`offer::Plain`). The other side is to find a section for each
//! of its own, in its order and under its names, and nothing that it has not offered (RFC 3264 §6).

use super::offer::{Flow, Offer, Section};

/// What of a section is about its transport.
const OF_TRANSPORT: [&str; 3] = ["a=setup:", "a=ice-ufrag:", "a=ice-pwd:"];

/// The answer that goes out for `offer`.
pub(super) fn fitted(offer: &Offer, answer: &str) -> String {
    let mut parts = Vec::<Vec<&str>>::from([Vec::new()]);
    for line in answer.lines() {
        if line.starts_with("m=") {
            parts.push(Vec::new());
        }
        if let Some(part) = parts.last_mut() {
            part.push(line);
        }
    }
    // Nobody needs them in a section that is declined, but some take no answer without.
    let of_transport: Vec<&str> = parts
        .get(1)
        .into_iter()
        .flatten()
        .copied()
        .filter(|line| OF_TRANSPORT.iter().any(|it| line.starts_with(it)))
        .collect();
    let mut parts = parts.into_iter();
    let mut fitted = String::with_capacity(answer.len() + 256);
    let session = parts.next().unwrap_or_default();
    for line in session.iter().filter(|it| !it.starts_with("a=group:")) {
        push(&mut fitted, line);
    }
    if offer.bundled {
        let served = offer.sections.iter().filter(|it| it.is_served());
        let names: Vec<&str> = served.filter_map(Section::mid).collect();
        push(&mut fitted, &format!("a=group:BUNDLE {}", names.join(" ")));
    }
    for section in &offer.sections {
        match section.is_served().then(|| parts.next()).flatten() {
            Some(lines) => push_section(&mut fitted, section, &lines),
            None => {
                fitted.push_str(&section.declined());
                of_transport.iter().for_each(|line| push(&mut fitted, line));
            }
        }
    }
    fitted
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
