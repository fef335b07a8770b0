//! The forms: golden files of a home in every state, names that mean harm, very many jobs and none.

use roxmltree::{Document, ParsingOptions};

use super::fixture::{HOSTILE, Home};
use crate::Report;

/// Compares a page with the one that somebody has looked at; `SNAPSHOTS=overwrite` takes it for right.
fn golden(page: impl snapbox::IntoData, name: &str) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/report/tests/golden/").to_owned() + name;
    // Raw: a backslash is one here, and no path.
    let looked_at = snapbox::Data::read_from(path.as_ref(), None).raw();
    snapbox::Assert::new().action_env("SNAPSHOTS").eq(page.into_data().raw(), looked_at);
}

/// The page, read as XML: what isn't balanced or escaped fails here.
fn parsed(page: &str) -> Document<'_> {
    Document::parse_with_options(page, ParsingOptions { allow_dtd: true, ..ParsingOptions::default() })
        .expect("well-formed")
}

#[tokio::test]
async fn every_form_of_a_home_in_every_state_is_as_it_was_looked_at() {
    let report = Home::in_every_state().await.report();
    golden(report.text(), "every-state.txt");
    golden(report.markdown(), "every-state.md");
    golden(report.html(), "every-state.html");
    let json = serde_json::to_string_pretty(&report.json()).expect("JSON");
    golden(json, "every-state.json");
}

#[tokio::test]
async fn a_home_that_is_well_says_so_first() {
    let report = Home::with(["backup".to_owned()]).await.report();
    assert_eq!(report.summary, "all well: 1 job, 0 runs, 0 failed", "{:?}", report.blockers);
    golden(report.text(), "well.txt");
    golden(report.html(), "well.html");
}

#[tokio::test]
async fn a_page_runs_nothing_loads_nothing_and_says_everything_in_words() {
    let page = Home::in_every_state().await.report().html();
    let document = parsed(&page);
    let elements: Vec<_> = document.descendants().filter(roxmltree::Node::is_element).collect();
    for element in &elements {
        let name = element.tag_name().name();
        assert!(!["script", "img", "link", "iframe", "object", "form", "a", "svg"].contains(&name), "<{name}>");
        for attribute in element.attributes() {
            let (key, value) = (attribute.name(), attribute.value());
            assert!(!key.starts_with("on") && key != "src" && key != "href", "{key}={value}");
            assert!(!value.contains("url(") && !value.contains("javascript"), "{key}={value}");
        }
    }
    let style = elements.iter().find(|one| one.has_tag_name("style")).and_then(roxmltree::Node::text).expect("a style");
    assert!(!style.contains("url(") && !style.contains("@import"), "{style}");
    let root = document.root_element();
    assert_eq!(root.attribute("lang"), Some("en"));
    for wanted in ["title", "h1", "main", "header"] {
        assert_eq!(elements.iter().filter(|one| one.has_tag_name(wanted)).count(), 1, "<{wanted}>");
    }
    for badge in elements.iter().filter(|one| one.attribute("class").is_some_and(|class| class.starts_with("badge"))) {
        let words = badge.text().unwrap_or_default();
        assert!(words.starts_with("+ ") || words.starts_with("- "), "not by colour alone: {words}");
    }
    for row in elements.iter().filter(|one| one.has_tag_name("tr")) {
        assert!(
            row.children().any(|one| one.has_tag_name("th") && one.attribute("scope").is_some()),
            "a row has a head"
        );
    }
    // What somebody said is there, as text.
    let said: String = document.descendants().filter_map(|one| one.text()).collect();
    assert!(said.contains("<script>alert(1)</script>"));
}

#[tokio::test]
async fn what_jobs_are_called_and_say_breaks_no_page() {
    let report = Home::in_every_state().await.report();
    let check = |form: &str, page: &str| {
        let odd = page.chars().find(|c| c.is_control() && *c != '\n' || ('\u{202a}'..='\u{202e}').contains(c));
        assert_eq!(odd, None, "{form}");
    };
    check("text", &report.text());
    check("markdown", &report.markdown());
    check("html", &report.html());
    assert!(HOSTILE.contains('\u{1b}') && HOSTILE.contains('\u{202e}'), "the control");
    let text = report.text();
    assert!(!text.lines().any(|line| line.starts_with("# head")));
    let markdown = report.markdown();
    assert!(!markdown.contains('<') && !markdown.contains("@everyone"), "{markdown}");
    for line in markdown.lines().filter(|line| line.starts_with("| ")) {
        let bars = line.replace("\\|", "").matches('|').count();
        assert!([5, 8].contains(&bars), "as many columns as its table has: {line}");
    }
    for line in markdown.lines().filter(|line| line.starts_with('#')) {
        assert!(!line.contains("# head") || line.starts_with("# ") && line.contains("\\# head"), "{line}");
    }
}

#[tokio::test]
async fn five_hundred_jobs_and_none_are_a_page_that_can_be_read() {
    let check = |report: &Report, most: usize, folded: bool| {
        for (form, page) in [("text", report.text()), ("markdown", report.markdown())] {
            assert!(page.lines().count() < most, "{form}: {} lines", page.lines().count());
            assert_eq!(
                page.contains("and 460 more jobs that are well; `sched report --format json` has all"),
                folded,
                "{form}"
            );
        }
        let page = report.html();
        let rows = parsed(&page).descendants().filter(|one| one.has_tag_name("tr")).count();
        assert!(rows < most, "{rows} rows");
        assert_eq!(page.contains("460 more jobs that are well"), folded);
        assert_eq!(report.json()["jobs"].as_array().map(Vec::len), Some(report.totals.jobs), "JSON has all");
    };
    let many = Home::with((0..500).map(|number| format!("job-{number:03}"))).await.report();
    check(&many, 70, true);
    assert!(many.text().starts_with("all well: 500 jobs, 0 runs, 0 failed\n"));
    let none = Home::with([]).await.report();
    check(&none, 20, false);
    assert!(none.text().contains("\nNo jobs\n") && none.text().contains("next: nothing"));
}
