//! What a price history tells: how restless it is, and which price has held.

use domain::market::{PricePoint, PriceSource, Quote};
use domain::money::MicroDollars;
use domain::{SignedDuration, Timestamp};

/// How far back volatility looks. Seven days hold a whole week's rhythm, and are newer than the Spot Advisor's 30.
const WINDOW: SignedDuration = SignedDuration::from_hours(7 * 24);

/// With less than this covered, volatility is not known. One price a day old is enough: it says that nothing has changed since.
const COVERED_MIN: SignedDuration = SignedDuration::from_hours(24);

/// A coefficient of variation from which on volatility counts in full. Own choice: spot prices seldom move (179 of 9,100 pools
/// changed more than once in 5.6 hours, 2022-05), and a week with a standard deviation of a quarter of the mean is a storm.
pub const VOLATILITY_FULL: f64 = 0.25;

/// Money as a number for ratios, dollars. Never for sums.
pub(super) fn dollars(price: MicroDollars) -> f64 {
    // Exact up to 2^53 millionths: nine billion dollars an hour.
    #[expect(clippy::cast_precision_loss, reason = "a ratio of prices needs no more than 53 bits")]
    let micros = price.0 as f64;
    micros / 1e6
}

/// Standard deviation over mean of the price in the last seven days, each price weighed by the time that it held. No unit.
///
/// Points may come in any order and more than once; those without a positive price, or in the future, are passed over. `None`
/// where what is left covers less than a day.
pub fn coefficient_of_variation(points: &[PricePoint], now: Timestamp) -> Option<f64> {
    let spans = spans(points, now, WINDOW);
    let covered: f64 = spans.iter().map(|(seconds, _)| seconds).sum();
    if covered < COVERED_MIN.as_secs_f64() {
        return None;
    }
    let mean = spans.iter().map(|(seconds, price)| seconds * dollars(*price)).sum::<f64>() / covered;
    let square = |(seconds, price): &(f64, MicroDollars)| seconds * (dollars(*price) - mean).powi(2);
    let variance = spans.iter().map(square).sum::<f64>() / covered;
    Some(variance.max(0.0).sqrt() / mean)
}

/// The highest price that held at any time of the last `window`: a saving over this price has lasted that long. Dated with the
/// newest point. `None` where the history does not cover the whole window.
pub fn steady_price(points: &[PricePoint], now: Timestamp, window: SignedDuration) -> Option<Quote> {
    let spans = spans(points, now, window);
    let covered: f64 = spans.iter().map(|(seconds, _)| seconds).sum();
    // Fractions of a second are lost in the sum.
    if spans.is_empty() || covered + 1.0 < window.as_secs_f64() {
        return None;
    }
    let price_per_hour = spans.iter().map(|(_, price)| *price).max()?;
    let at = points.iter().map(|point| point.at).filter(|at| *at <= now).max()?;
    Some(Quote { price_per_hour, source: PriceSource::Observed { at } })
}

/// How long each price held within the window before `now`, seconds, oldest first.
fn spans(points: &[PricePoint], now: Timestamp, window: SignedDuration) -> Vec<(f64, MicroDollars)> {
    let mut sorted: Vec<&PricePoint> = points.iter().filter(|point| point.at <= now && point.price_per_hour.0 > 0).collect();
    sorted.sort_unstable();
    let ends = sorted.iter().skip(1).map(|next| next.at).chain([now]);
    let mut spans = Vec::new();
    for (point, end) in sorted.iter().zip(ends) {
        // Ages, so that nothing before the beginning of time is ever computed.
        let oldest = now.duration_since(point.at).min(window);
        let newest = now.duration_since(end).min(window);
        let held = (oldest - newest).as_secs_f64();
        if held > 0.0 {
            spans.push((held, point.price_per_hour));
        }
    }
    spans
}
