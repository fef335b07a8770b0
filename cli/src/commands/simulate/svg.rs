//! The load as a picture that needs nothing beside it: bars for starts, a line for open runs, downtime and clock steps
//! marked, on the clock of the home.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use scheduler_core::simulation::Report;

use super::{
    chart::{self, Bucket},
    plot::Plot,
};
use crate::when;

/// The picture, and the part of it that shows the load.
const SIZE: (f64, f64) = (960.0, 440.0);
const LEFT: f64 = 64.0;
const TOP: f64 = 84.0;
const WIDE: f64 = 832.0;
const HIGH: f64 = 276.0;
const BOTTOM: f64 = TOP + HIGH;
/// The most bars.
const BARS: u32 = 240;

pub(super) fn of(plot: &Plot, report: &Report) -> String {
    let (width, buckets) = chart::buckets(plot, report, BARS);
    Picture { plot, report, width, buckets, text: String::new() }.drawn()
}

struct Picture<'a> {
    plot: &'a Plot,
    report: &'a Report,
    width: SignedDuration,
    buckets: Vec<Bucket>,
    text: String,
}

impl Picture<'_> {
    fn drawn(mut self) -> String {
        let most = |of: fn(&Bucket) -> u32| self.buckets.iter().map(of).max().unwrap_or(0);
        let (starts, open) = (Scale::of(most(|bucket| bucket.load.starts)), Scale::of(most(|bucket| bucket.load.open)));
        self.head();
        self.downtime();
        self.axes(&starts, &open);
        self.bars(&starts);
        self.line(&open);
        self.steps();
        self.text.push_str("</svg>\n");
        self.text
    }

    fn head(&mut self) {
        let (wide, high) = SIZE;
        let ids: Vec<String> = self.plot.scenario.jobs.iter().map(|view| view.id.to_string()).collect();
        let jobs = if ids.len() <= 3 { ids.join(", ") } else { format!("{} jobs", ids.len()) };
        let fires: u64 = self.report.jobs.iter().map(|tally| tally.fires).sum();
        let stamp = |at| when::stamp(at, &self.plot.zone);
        let title = escaped(&format!(
            "{jobs}: {fires} runs from {} to {}",
            stamp(self.plot.scenario.from),
            stamp(self.plot.scenario.to)
        ));
        let busiest = self.report.load.busiest().map_or_else(String::new, |(at, minute)| {
            format!("; busiest minute {}, {}", stamp(at), chart::load_words(minute))
        });
        let below = escaped(&format!("simulated by sched, home {}{busiest}", self.plot.home));
        let bar = match self.width.as_mins() {
            1 => "starts a minute".to_owned(),
            minutes @ 0..60 => format!("starts in {minutes} min"),
            minutes @ 60..1440 => format!("starts in {} h", minutes / 60),
            minutes => format!("starts in {} d", minutes / 1440),
        };
        let key = SIZE.0 - LEFT;
        let _ = write!(
            self.text,
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}" height="{high}" role="img" font-family="sans-serif" font-size="12" fill="#333">
<title>{title}</title>
<rect width="{wide}" height="{high}" fill="#fff"/>
<text x="{LEFT}" y="26" font-size="16" font-weight="bold">{title}</text>
<text x="{LEFT}" y="46" fill="#666">{below}</text>
<rect x="{LEFT}" y="60" width="10" height="10" fill="#9cc3e6"/>
<text x="{}" y="69">{bar}</text>
<text x="{key}" y="69" text-anchor="end" fill="#c2571a">most runs open at once</text>
"##,
            LEFT + 16.0
        );
    }

    fn downtime(&mut self) {
        let (from, to) = (self.plot.scenario.from, self.plot.scenario.to);
        for (begin, end) in &self.plot.scenario.downtime {
            let (left, right) = (self.x((*begin).clamp(from, to)), self.x((*end).clamp(from, to)));
            let _ = write!(
                self.text,
                r##"<rect class="down" x="{left:.1}" y="{TOP}" width="{:.1}" height="{HIGH}" fill="#e4e4e4"/>
<text x="{:.1}" y="{:.1}" text-anchor="middle" fill="#777">down</text>
"##,
                right - left,
                f64::midpoint(left, right),
                TOP + 14.0
            );
        }
    }

    fn axes(&mut self, starts: &Scale, open: &Scale) {
        let right = LEFT + WIDE;
        for (scale, x, anchor, color) in [(starts, LEFT - 8.0, "end", "#333"), (open, right + 8.0, "start", "#c2571a")]
        {
            for value in scale.marks() {
                let y = scale.y(value);
                if anchor == "end" {
                    let _ = writeln!(self.text, r##"<path d="M{LEFT} {y:.1}H{right}" stroke="#ddd"/>"##);
                }
                let below = y + 4.0;
                let _ = writeln!(
                    self.text,
                    r#"<text x="{x}" y="{below:.1}" text-anchor="{anchor}" fill="{color}">{value}</text>"#
                );
            }
        }
        let mut day = String::new();
        for at in self.ticks() {
            let local = at.to_zoned(self.plot.zone.clone());
            let (x, clock, date) =
                (self.x(at), local.strftime("%H:%M").to_string(), local.strftime("%Y-%m-%d").to_string());
            let _ = writeln!(self.text, r##"<path d="M{x:.1} {BOTTOM}v5" stroke="#333"/>"##);
            let _ =
                writeln!(self.text, r#"<text x="{x:.1}" y="{:.1}" text-anchor="middle">{clock}</text>"#, BOTTOM + 19.0);
            if date != day {
                let y = BOTTOM + 35.0;
                let _ = writeln!(
                    self.text,
                    r##"<text x="{x:.1}" y="{y:.1}" text-anchor="middle" fill="#666">{date}</text>"##
                );
                day = date;
            }
        }
        let zone = escaped(self.plot.zone.iana_name().unwrap_or_default());
        let _ = writeln!(
            self.text,
            r##"<path d="M{LEFT} {BOTTOM}H{right}" stroke="#333"/>
<text x="{right}" y="{:.1}" text-anchor="end" fill="#666">{zone}</text>"##,
            SIZE.1 - 12.0
        );
    }

    fn bars(&mut self, scale: &Scale) {
        for bucket in self.buckets.iter().filter(|bucket| bucket.load.starts > 0) {
            let (left, right, y) = (self.x(bucket.begin), self.x(bucket.end), scale.y(bucket.load.starts));
            let width = (right - left - if right - left > 4.0 { 1.0 } else { 0.0 }).max(0.5);
            let _ = writeln!(
                self.text,
                r##"<rect class="starts" x="{left:.1}" y="{y:.1}" width="{width:.1}" height="{:.1}" fill="#9cc3e6"><title>{}: {}</title></rect>"##,
                BOTTOM - y,
                when::stamp(bucket.begin, &self.plot.zone),
                chart::load_words(bucket.load)
            );
        }
    }

    fn line(&mut self, scale: &Scale) {
        let mut path = String::new();
        for bucket in &self.buckets {
            let (left, right, y) = (self.x(bucket.begin), self.x(bucket.end), scale.y(bucket.load.open));
            let _ = write!(path, "{}{left:.1} {y:.1}H{right:.1}", if path.is_empty() { 'M' } else { 'L' });
        }
        if !path.is_empty() {
            let _ = writeln!(
                self.text,
                r##"<path class="open" d="{path}" fill="none" stroke="#c2571a" stroke-width="1.5"/>"##
            );
        }
    }

    fn steps(&mut self) {
        for (at, by) in &self.plot.scenario.clock_steps {
            let (x, words) =
                (self.x((*at).clamp(self.plot.scenario.from, self.plot.scenario.to)), chart::step_words(*by));
            let (anchor, beside) = if x > LEFT + WIDE / 2.0 { ("end", x - 5.0) } else { ("start", x + 5.0) };
            let _ = writeln!(
                self.text,
                r##"<path class="step" d="M{x:.1} {TOP}V{BOTTOM}" stroke="#8a3ab9" stroke-dasharray="4 3"/>
<text x="{beside:.1}" y="{:.1}" text-anchor="{anchor}" fill="#8a3ab9">{words}</text>"##,
                TOP - 4.0
            );
        }
    }

    fn x(&self, at: Timestamp) -> f64 {
        let (from, to) = (self.plot.scenario.from, self.plot.scenario.to);
        LEFT + WIDE * at.duration_since(from).as_secs_f64() / to.duration_since(from).as_secs_f64()
    }

    /// Round times of the home's clock, a few of them.
    fn ticks(&self) -> Vec<Timestamp> {
        const EVERY: [i64; 14] = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 7 * 1440, 28 * 1440];
        let (from, to) = (self.plot.scenario.from, self.plot.scenario.to);
        let minutes = to.duration_since(from).as_mins();
        let every = EVERY.into_iter().find(|every| minutes / every <= 12).unwrap_or(61 * 1440);
        let Ok(midnight) = from.to_zoned(self.plot.zone.clone()).start_of_day() else { return Vec::new() };
        let later = |count: i64| {
            // A day is a day of the calendar, whatever its length.
            let span = if every < 1440 {
                jiff::Span::new().minutes(count * every)
            } else {
                jiff::Span::new().days(count * every / 1440)
            };
            midnight.checked_add(span).ok().map(|at| at.timestamp())
        };
        (0..).map_while(later).skip_while(|at| *at < from).take_while(|at| *at < to).collect()
    }
}

/// What the height of the picture stands for.
struct Scale {
    step: u32,
    top: u32,
}

impl Scale {
    /// One on which `most` has room, with a few round marks.
    fn of(most: u32) -> Self {
        let most = most.max(1);
        let powers = (0..9).map(|power| 10_u32.pow(power));
        let step = powers
            .flat_map(|power| [power, 2 * power, 5 * power.min(200_000_000)])
            .find(|step| most.div_ceil(*step) <= 5);
        let step = step.unwrap_or(most);
        Self { step, top: most.div_ceil(step).saturating_mul(step) }
    }

    fn marks(&self) -> impl Iterator<Item = u32> {
        (0..=self.top).step_by(self.step as usize)
    }

    fn y(&self, value: u32) -> f64 {
        BOTTOM - HIGH * f64::from(value) / f64::from(self.top)
    }
}

/// Text as XML has it; of characters that it can't have, none is left.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_has_room_and_round_marks() {
        let check = |most, marks: &[u32]| assert_eq!(Scale::of(most).marks().collect::<Vec<_>>(), marks, "{most}");
        check(0, &[0, 1]);
        check(3, &[0, 1, 2, 3]);
        check(7, &[0, 2, 4, 6, 8]);
        check(37, &[0, 10, 20, 30, 40]);
        check(101, &[0, 50, 100, 150]);
        assert!(Scale::of(u32::MAX).top > 0);
    }

    #[test]
    fn nothing_that_people_write_breaks_the_picture() {
        assert_eq!(escaped("a<b> & \"c\"\u{1}"), "a&lt;b&gt; &amp; &quot;c&quot; ");
    }
}
