//! Nobody takes the place of a provider that comes with sched by taking its name.

use std::fs;

use serde_json::{Value, json};

use super::plugins::with;

#[test]
fn what_comes_with_sched_wins_over_a_plugin_of_its_name() {
    for (name, verdict, code) in
        [("builtin", "live", 0), ("built-in", "live", 0), ("in-process", "live", 0), ("none", "standby", 0)]
    {
        let place = with("touch ../it-was-started");
        let (folder, taken) = (place.home().join("plugins/bells"), place.home().join("plugins").join(name));
        fs::rename(folder, &taken).expect("a folder that moves");
        let manifest = fs::read_to_string(taken.join("plugin.yaml")).expect("a plugin.yaml");
        place.write(&format!("plugins/{name}/plugin.yaml"), manifest.replace("bells", name));
        place.write("config.yaml", format!("ticker: {{interval: 1s}}\nprovider: {name}\n"));

        let ran = place.run(&["--json", "providers"]);
        let said: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
        let mine: Vec<&Value> =
            said["providers"].as_array().expect("a list").iter().filter(|row| row["from"] == "a plugin").collect();
        assert_eq!(mine.len(), 1, "{said:#}");
        assert_eq!((&mine[0]["name"], &mine[0]["usable"]), (&json!(name), &json!(false)));
        assert_eq!(mine[0]["reason"], "a provider that comes with sched is called so");
        assert_eq!((ran.code, &said["fallback_reason"]), (Some(0), &Value::Null), "nothing is missing: {said:#}");

        let mut daemon = place.daemon();
        let status = place.until_verdict(verdict, code);
        assert_eq!(status["heartbeat"]["provider"], if name == "none" { "none" } else { "builtin" }, "{status:#}");
        let warning = format!(
            "the plugin `{name}` is never used, since a provider that comes with sched is called so; rename it"
        );
        daemon.until_logged(&warning);
        if verdict == "live" {
            place.until_started("job", 2);
        }
        daemon.stop();
        assert!(!place.home().join("plugins/it-was-started").exists(), "{name}");
    }
}
