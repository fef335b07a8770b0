//! What people are told about their schedules.

use super::parse;

fn check(text: &str, expected: &str) {
    assert_eq!(parse(text).describe(None), expected, "`{text}`");
}

#[test]
fn plain_english() {
    for (text, expected) in [
        ("30 2 * * 1-5", "At 02:30, Monday to Friday"),
        ("0 8,20 * * *", "At 08:00 and 20:00, every day"),
        ("@daily", "At 00:00, every day"),
        ("@hourly", "Every hour, on the hour"),
        ("@weekly", "At 00:00, on Sunday"),
        ("@monthly", "At 00:00, on day 1 of the month"),
        ("@yearly", "At 00:00, on day 1 of January"),
        ("@reboot", "Once after each boot of the machine"),
        ("@manually", "Never by the clock; only by hand or by a provider"),
        ("* * * * *", "Every minute"),
        ("*/10 * * * *", "Every 10 minutes"),
        ("0,10,20,30,40,50 * * * *", "Every 10 minutes"),
        ("*/7 * * * *", "Every hour, at every 7th minute from 0 to 56"),
        ("1-59/2 * * * *", "Every hour, at every 2nd minute from 1 to 59"),
        ("5-59/15 * * * *", "Every hour, at minutes 5, 20, 35 and 50"),
        ("23 0-20/2 * * *", "At minute 23, in every 2nd hour from 0 to 20"),
        (
            "0 0 */5 * */2",
            "At 00:00, on every 5th day from 1 to 31 and only when it is Tuesday, Thursday, Saturday or Sunday",
        ),
        ("0 0 */10 * *", "At 00:00, on days 1, 11, 21 and 31 of the month"),
        ("5 * * * *", "Every hour, at minute 5"),
        ("5,20 * * * *", "Every hour, at minutes 5 and 20"),
        ("0 */2 * * *", "Every 2 hours, on the hour"),
        ("15 */6 * * *", "At 00:15, 06:15, 12:15 and 18:15, every day"),
        ("* 9-17 * * *", "Every minute, between 09:00 and 17:59"),
        ("* 9 * * *", "Every minute, between 09:00 and 09:59"),
        ("*/15 9-17 * * mon-fri", "Every 15 minutes, between 09:00 and 17:59, Monday to Friday"),
        ("0 9-17 * * *", "On the hour, between 09:00 and 17:59"),
        ("30 22-23,0-3 * * *", "At 00:30, 01:30, 02:30, 03:30, 22:30 and 23:30, every day"),
        ("*/30 22-23,0-3 * * *", "Every 30 minutes, between 00:00 and 03:59 and between 22:00 and 23:59"),
        ("*/20 1,3,5 * * *", "Every 20 minutes, in hours 1, 3 and 5"),
        ("0 0 31 2 1", "At 00:00, on day 31 or on Monday, in February"),
        ("*/15 */2 * * *", "Every 15 minutes, in every 2nd hour from 0 to 22"),
        ("5,20,35 9-17 * * *", "At minutes 5, 20 and 35, between 09:00 and 17:59"),
        ("*/10 * * * * *", "Every 10 seconds"),
        ("* * * * * *", "Every second"),
        ("15 30 2 * * *", "At 02:30:15, every day"),
        ("15 * * * * *", "At second 15 of every minute"),
        ("*/10 * 9 * * *", "Every 10 seconds, between 09:00 and 09:59"),
        ("*/10 0 * * * *", "Every 10 seconds, in minute 0 of every hour"),
        ("*/10 0-5 9 * * *", "Every 10 seconds, in minutes 0 to 5, between 09:00 and 09:59"),
        ("0 0 13 * 5", "At 00:00, on day 13 or on Friday"),
        ("0 0 13 5 5", "At 00:00, on day 13 or on Friday, in May"),
        ("0 0 */2 * 5", "At 00:00, on every 2nd day from 1 to 31 and only when it is Friday"),
        ("0 0 1-31 * 5", "At 00:00, every day"),
        ("0 0 1,15 * *", "At 00:00, on days 1 and 15 of the month"),
        ("0 0 1-7 jun-aug,dec *", "At 00:00, on days 1 to 7 of June to August and December"),
        ("0 0 * * 0,6", "At 00:00, on Saturday and Sunday"),
        ("0 0 * * fri-sun", "At 00:00, Friday to Sunday"),
        ("0 0 * * 1,3,5", "At 00:00, on Monday, Wednesday and Friday"),
        ("0 9 * 2 *", "At 09:00, every day in February"),
        ("0 * * 2 *", "Every hour, on the hour, in February"),
        ("0 0 9 * * * 2027-2029,2031", "At 09:00, every day, in 2027 to 2029 and 2031"),
        ("every 1h30m", "Every 1h 30m, by elapsed time"),
        ("2026-06-01T09:00:00Z", "Once, at 2026-06-01T09:00:00Z"),
        ("2026-06-01 09:00", "Once, at 2026-06-01 09:00"),
        ("2026-06-01 09:00[europe/berlin]", "Once, at 2026-06-01 09:00, Europe/Berlin"),
    ] {
        check(text, expected);
    }
}

#[test]
fn the_zone_is_named_where_it_matters() {
    for (text, expected) in [
        ("30 2 * * 1-5", "At 02:30, Monday to Friday, Europe/Berlin"),
        ("2026-06-01 09:00", "Once, at 2026-06-01 09:00, Europe/Berlin"),
        ("2026-06-01 09:00[UTC]", "Once, at 2026-06-01 09:00, UTC"),
        ("every 5m", "Every 5m, by elapsed time"),
        ("@manually", "Never by the clock; only by hand or by a provider"),
    ] {
        assert_eq!(parse(text).describe(Some("Europe/Berlin")), expected, "`{text}`");
    }
}
