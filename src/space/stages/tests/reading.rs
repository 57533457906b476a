//! What a description may say, and how mistakes in it are shown.

use super::*;
use crate::settings::Settings;
use crate::space::SpaceConfig;

#[test]
fn operations_are_read_as_they_are_written() {
    for name in ["mbconv_3x3_e6", "mbconv_7x7_e1", "conv_5x5", "sep_conv_3x3", "max_pool_3x3", "avg_pool_5x5", "skip"] {
        assert_eq!(name.parse::<Operation>().unwrap().to_string(), name);
    }
    for (name, said) in [
        ("mbconv_3x3", "did you mean `mbconv_3x3_e6`?"),
        ("mbconv3x3_e6", "did you mean `mbconv_3x3_e6`?"),
        ("mbconv_3x5_e6", "unknown operation"),
        ("mbconv_03x03_e6", "did you mean `mbconv_3x3_e6`?"),
        ("mbconv_4x4_e6", "kernel = 4: must be odd"),
        ("mbconv_3x3_e0", "expansion = 0"),
        ("sep_conf_3x3", "did you mean `sep_conv_3x3`?"),
        ("skip_connect", "did you mean `skip`?"),
    ] {
        let error = name.parse::<Operation>().unwrap_err().to_string();
        assert!(error.contains(said), "{name}: {error}");
    }
}

#[test]
fn mistakes_are_shown_where_they_are() {
    let good = "name = \"x\"\n[stem]\nchannels = 8\n[[stage]]\nchannels = 8\ndepth = [1, 2]\nstride = 2\n\
                operations = [\"conv_3x3\", \"skip\"]\n[head]\nchannels = 16\n";
    Stages::read(good).unwrap();
    let none = "line 1, `stage`: there is no [[stage]]";
    for (old, new, said) in [
        (
            "\"conv_3x3\"",
            "\"conf_3x3\"",
            "line 8, `stage.operations`: unknown operation `conf_3x3`: did you mean `conv_3x3`?",
        ),
        ("conv_3x3", "conv_4x4", "line 8, `stage.operations`: in `conv_4x4`, kernel = 4: must be odd and from 1 to 31"),
        ("\"conv_3x3\", ", "", "line 8, `stage.operations`: `skip` is all there is to choose, but"),
        ("[\"conv_3x3\", \"skip\"]", "[]", "line 8, `stage.operations`: lists nothing: give at least one"),
        ("\"conv_3x3\"", "\"skip\"", "line 8, `stage.operations`: lists skip twice"),
        ("operations =", "operation =", "line 8: unknown field `operation`, expected one of"),
        ("operations = [\"conv_3x3\", \"skip\"]", "", "line 4, `stage`: names no operation: give `operations`"),
        ("operations =", "kernel = 3\noperations =", "line 8, `stage.kernel`: needs `expansion` beside it"),
        ("operations =", "expansion = 3\noperations =", "line 8, `stage.expansion`: needs `kernel` beside it"),
        ("operations =", "kernel = [3, 4]\nexpansion = 3\noperations =", "line 8, `stage.kernel`: 4 must be odd"),
        ("operations =", "kernel = 3\nexpansion = 0\noperations =", "line 9, `stage.expansion`: 0 must be from 1"),
        ("\"skip\"]", "\"mbconv_3x3_e3\"]\nkernel = 3\nexpansion = 3", "`kernel` and `expansion` give already"),
        ("[1, 2]", "[0, 2]", "line 6, `stage.depth`: 0 must be from 1 to 100"),
        ("[1, 2]", "[1, 1]", "line 6, `stage.depth`: lists 1 twice"),
        ("[1, 2]", "[]", "line 6, `stage.depth`: lists nothing"),
        ("[1, 2]", "-1", "line 6, `depth`: invalid value: integer `-1`"),
        ("[1, 2]", "1.5", "line 6, `depth`: invalid type: floating point `1.5`, expected one value, or a list"),
        ("depth = [1, 2]", "", "line 4: missing field `depth`"),
        ("stride = 2", "stride = 0", "line 7, `stage.stride`: 0 must be from 1 to 4"),
        ("channels = 8\ndepth", "channels = [8, 8]\ndepth", "line 5, `stage.channels`: lists 8 twice"),
        ("channels = 8\ndepth", "channels = 0\ndepth", "line 5, `stage.channels`: 0 must be from 1"),
        (
            "channels = 8\ndepth",
            "channels = \"2X\"\ndepth",
            "line 5, `channels`: \"2X\" is no number of channels: give",
        ),
        ("channels = 8\ndepth", "channels = [1,2,3,4,5,6,7,8,9]\ndepth", "lists 9 to choose from: 8 are the most"),
        ("channels = 8\n[[", "channels = [8, 9]\n[[", "line 3, `channels`: invalid type: sequence"),
        ("channels = 8\n[[", "channels = 8\nkernel = 2\n[[", "line 4, `stem.kernel`: 2 must be odd"),
        ("channels = 16", "channels = 9999999", "line 10, `head.channels`: 9999999 must be from 1"),
        ("\"x\"", "\"../x\"", "line 1, `name`: must be 1 to 64 letters, digits, hyphens and underscores"),
        ("\"x\"", "\"\"", "line 1, `name`"),
        ("name = \"x\"", "", "missing field `name`"),
        ("depth = [1, 2]", "depth = [1, 2", "line 7: missing comma between array elements"),
        ("[head]", "[heads]", "unknown field `heads`"),
    ] {
        assert!(good.contains(old), "{old}");
        let text = good.replacen(old, new, 1);
        let error = Stages::read(&text).unwrap_err().to_string();
        assert!(error.contains(said), "{new} should say `{said}`:\n{error}");
        assert!(error.lines().last().unwrap().trim_end().ends_with('^'), "{error}");
    }
    let error = Stages::read("name = 'x'\nstem.channels = 8\n").unwrap_err().to_string();
    assert!(error.contains(none), "{error}");
}

#[test]
fn the_line_is_shown_with_a_mark_under_what_is_meant() {
    let text = "name = \"ü\"\r\n";
    let text = format!("# ü\n{text}stem.channels = 1\nstage = []");
    assert_eq!(
        Stages::read(&text).unwrap_err().to_string(),
        "line 2, `name`: must be 1 to 64 letters, digits, hyphens and underscores\n  |\n2 | name = \"ü\"\n  |        ^^^"
    );
    let error = Stages::read("name = 'x'\nstem.channels = [\n  \"ü\",\n").unwrap_err().to_string();
    assert!(error.starts_with("line "), "{error}");
}

#[test]
fn what_is_too_large_is_refused_before_or_after_reading() {
    let long = format!("# {}", "x".repeat(1 << 20));
    assert!(matches!(
        Stages::read(&long),
        Err(SpaceError::Description(DescriptionError::TooLong { bytes })) if bytes == long.len()
    ));
    let stage = "[[stage]]\nchannels = 8\ndepth = 100\noperations = 'conv_3x3'\n";
    let text = |count: usize| format!("name = 'x'\nstem.channels = 8\n{}", stage.repeat(count));
    Stages::read(&text(10)).unwrap();
    let error = Stages::read(&text(11)).unwrap_err().to_string();
    assert!(error.contains("`stage.depth`: the stages have 1100 blocks up to here"), "{error}");
    let error = Stages::read(&text(101).replace("100", "1")).unwrap_err().to_string();
    assert!(error.contains("one stage too many"), "{error}");
    for text in ["[".repeat(1 << 16), format!("a = {}", "[".repeat(1 << 16)), "\0".into(), "\u{feff}".into()] {
        Stages::read(&text).unwrap_err();
    }
}

#[test]
fn a_description_in_the_settings_is_found_by_its_name() {
    let config = SpaceConfig::described(EXAMPLE).unwrap();
    assert_eq!((config.name.as_str(), config.build().unwrap().name()), ("my-space", "my-space"));
    let written = toml::to_string(config.settings.table()).unwrap();
    assert_eq!(written.parse::<Settings>().unwrap(), config.settings);
    let error = |name: &str, settings: &Settings| {
        SpaceConfig { name: name.into(), settings: settings.clone() }.build().err().unwrap().to_string()
    };
    let problem = error("your-space", &config.settings);
    assert!(problem.contains("describes the space `my-space`: set space.name to that"), "{problem}");
    let problem = error("mobile", &config.settings);
    assert!(problem.contains("mobile: unknown field `stages`"), "{problem}");
    let mut more = config.settings.clone();
    more.table_mut().insert("nodes".into(), 3.into());
    let problem = error("my-space", &more);
    assert!(problem.contains("my-space: unknown field `nodes`"), "{problem}");
    // No description is none: then the name is the first thing to hear of.
    let problem = error("my-space", &super::super::settings(""));
    assert!(problem.contains("unknown search space `my-space`"), "{problem}");
    assert!(error("my-space", &"stages = 3".parse().unwrap()).contains("my-space: stages: invalid type"));
}
