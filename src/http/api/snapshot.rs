//! A room's picture as it is now, as PNG or JPEG (RFC 9110 §12.5.1 says which).
//!
//! The video thread gives away a copy of what it has drawn; it is encoded here, beside all media. So
//! many are taken a second for all operators together, and so many at a time ([`super::snapshots`]).

use std::io::Cursor;
use std::time::{Duration, Instant};

use axum::extract::{Path, State};
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::problem::{Code, Problem};
use super::rooms::find;
use crate::http::Doors;
use crate::still::{self, StillFormat};

/// How long a picture may take to come: several ticks of the slowest video there is.
const PATIENCE: Duration = Duration::from_secs(5);

/// Answers `GET /rooms/{room}/snapshot`.
pub(super) async fn take(
    State(doors): State<Doors>,
    Path(room): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let format = preferred(headers.get(ACCEPT)).ok_or_else(|| {
        let detail = "a picture is image/jpeg or image/png";
        Problem::new(Code::NotAcceptable, detail)
    })?;
    let room = find(&doors, &room)?;
    let operators = doors.operators.as_ref();
    let turn = operators
        .ok_or_else(Problem::no_room)?
        .snapshots
        .take(Instant::now())
        .map_err(|wait| {
            let detail = "too many snapshots at once";
            Problem::new(Code::RateLimited, detail).retry_after(wait)
        })?;
    let asked = timeout(PATIENCE, room.snapshot()).await;
    let late = |_| Problem::new(Code::Internal, "the picture did not come in time");
    let picture = asked.map_err(late)?.ok_or_else(|| {
        let detail = "nobody in the room gets a picture, so there is none";
        Problem::new(Code::NoPicture, detail)
    })?;
    let encoded = spawn_blocking(move || {
        let mut bytes = Cursor::new(Vec::new());
        let written = still::write(&picture, format, &mut bytes);
        // Until then, also when nobody waits for the answer any more.
        drop(turn);
        written.map(|()| bytes.into_inner())
    });
    let Ok(Ok(bytes)) = encoded.await else {
        return Err(Problem::new(
            Code::Internal,
            "the picture could not be written",
        ));
    };
    let headers = [
        (CONTENT_TYPE, content_type(format)),
        (CACHE_CONTROL, "no-store"),
        (VARY, "accept"),
    ];
    Ok((headers, bytes).into_response())
}

const fn content_type(format: StillFormat) -> &'static str {
    match format {
        StillFormat::Png => "image/png",
        StillFormat::Jpeg => "image/jpeg",
    }
}

/// What an Accept header likes best; JPEG where it does not care. `None`: neither.
fn preferred(accept: Option<&HeaderValue>) -> Option<StillFormat> {
    let Some(accept) = accept else {
        return Some(StillFormat::Jpeg);
    };
    let accept = accept.to_str().unwrap_or_default();
    let liked = [StillFormat::Jpeg, StillFormat::Png].map(|format| liking(accept, format));
    match liked {
        [jpeg, png] if jpeg.max(png) <= 0.0 => None,
        [jpeg, png] if png > jpeg => Some(StillFormat::Png),
        _ => Some(StillFormat::Jpeg),
    }
}

/// The weight of the most exact range that covers a format, 0 if none does.
fn liking(accept: &str, format: StillFormat) -> f32 {
    let exactness = |range: &str| match range.to_ascii_lowercase().as_str() {
        "*/*" => Some(0),
        "image/*" => Some(1),
        other => (other == content_type(format)).then_some(2),
    };
    let ranges = accept.split(',').filter_map(|item| {
        let mut parts = item.split(';').map(str::trim);
        let exactness = exactness(parts.next()?)?;
        let weight = parts.find_map(|part| part.strip_prefix("q="));
        let weight = weight.map_or(Ok(1.0), str::parse::<f32>).unwrap_or(0.0);
        Some((exactness, weight))
    });
    let best = ranges.max_by_key(|(exactness, _)| *exactness);
    best.map_or(0.0, |(_, weight)| weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_what_is_liked_best_and_jpeg_where_nobody_cares() {
        let (png, jpeg) = (Some(StillFormat::Png), Some(StillFormat::Jpeg));
        let rows = [
            ("*/*", jpeg),
            ("image/*", jpeg),
            ("image/png", png),
            ("image/jpeg", jpeg),
            ("Image/PNG;q=0.5", png),
            ("image/png, image/jpeg", jpeg),
            ("image/jpeg;q=0.5, image/png", png),
            ("image/avif,image/png,*/*;q=0.8", png),
            ("image/jpeg;q=0, */*", png),
            ("text/html", None),
            ("image/jpeg;q=0", None),
            ("", None),
        ];

        for (accept, expected) in rows {
            let header = HeaderValue::from_static(accept);
            assert_eq!(preferred(Some(&header)), expected, "{accept}");
        }
        assert_eq!(preferred(None), jpeg);
    }
}
