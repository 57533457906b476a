//! The verbs `devices` and `check`, and what the environment says of devices.

mod common;

use common::process::{Outcome, good, json, outcome, program};
use serde_json::Value;

mod devices {
    use super::*;

    #[test]
    fn lists_the_cpu_and_marks_what_auto_means() {
        let out = good(&["devices"]);
        assert!(out.contains("CPU twins on") && out.contains("16.0 GiB"), "{out}");
        assert_eq!(out.matches("← auto").count(), 1, "{out}");
    }

    #[test]
    fn prints_json() {
        let list = json(&["devices", "--json"]);
        let list = list.as_array().unwrap();
        assert_eq!(list[0]["kind"], "CPU");
        for (number, device) in list.iter().enumerate() {
            assert_eq!(device["number"], number);
            for field in ["name", "kind", "backend", "driver"] {
                assert!(device[field].is_string(), "{field}: {device}");
            }
            assert!(device["binding_bytes"].as_u64() > Some(0) && device["buffer_bytes"].as_u64() > Some(0));
            assert_eq!(device["subgroups"].as_array().unwrap().len(), 2);
            assert!(device["timestamps"].is_boolean() && device["f16"].is_boolean());
            assert!(device.get("problem").is_some());
        }
        assert_eq!(list.iter().filter(|d| d["auto"] == true).count(), 1);
    }
}

mod check {
    use super::*;

    #[test]
    fn the_cpu_agrees_and_says_what_it_is() {
        let found = json(&["check", "--device", "cpu", "--json"]);
        assert_eq!(found["agrees"], true, "{found}");
        assert_eq!((&found["adapter"]["kind"], &found["version"]), (&"CPU".into(), &env!("CARGO_PKG_VERSION").into()));
        let kernels = found["report"]["kernels"].as_array().unwrap();
        assert_eq!(kernels.len(), cellwright::kernels::ALL.len());
        for check in kernels.iter().chain(found["report"]["golden"].as_array().unwrap()) {
            assert!(check["compared"].as_u64() > Some(0), "{check}");
            assert_eq!(check["differences"].as_array().unwrap().len(), 0, "{check}");
        }
        assert!(found["limits"]["storage_bindings"].as_u64() >= Some(8) && found["seconds"].as_f64() > Some(0.0));
    }
}

mod environment {
    use super::*;

    fn with(name: &str, value: &str, arguments: &[&str]) -> Outcome {
        outcome(program().args(arguments).env(name, value))
    }

    #[test]
    fn an_unknown_graphics_interface_is_refused_with_the_names() {
        for arguments in [&["devices"][..], &["check", "--device", "gpu"], &["bench", "edge"]] {
            let Outcome { status, out, err } = with("WGPU_BACKEND", "vulcan", arguments);
            assert_eq!((status, out.as_str()), (1, ""), "{arguments:?}");
            assert!(err.contains("WGPU_BACKEND") && err.contains("`vulcan`") && err.contains("metal"), "{err}");
        }
    }

    #[test]
    fn an_interface_that_is_not_here_lists_the_cpu_alone() {
        let absent = if cfg!(target_os = "macos") { "dx12" } else { "metal" };
        let Outcome { status, out, .. } = with("WGPU_BACKEND", absent, &["devices", "--json"]);
        let list: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((status, list.as_array().unwrap().len()), (0, 1), "{out}");
    }

    #[test]
    fn the_adapter_it_names_is_what_auto_means() {
        let Outcome { status, err, .. } = with("WGPU_ADAPTER_NAME", "no such card", &["bench", "edge"]);
        assert!(status == 1 && err.contains("called `no such card`"), "{err}");
        let Outcome { status, out, .. } = with("WGPU_ADAPTER_NAME", "no such card", &["devices"]);
        assert!(status == 0 && out.contains("WGPU_ADAPTER_NAME: no device") && !out.contains("← auto"), "{out}");
    }
}
