//! SELinux and AppArmor: labels, categories, profiles.

use super::*;

#[test]
fn selinux_is_judged_by_labels_and_categories() {
    let labelled = |label: &str| {
        host().selinux(Mode::Enforcing).file("/srv/a.img", 0o666).label("/srv/a.img", label)
    };
    assert_eq!(found(&labelled("svirt_image_t:s0"), &BLOCKDEV), []);
    assert_eq!(found(&labelled("default_t:s0"), &DRIVE), blocks("selinux-denied"));
    assert_eq!(found(&labelled("virt_content_t:s0"), &DRIVE), []);
    assert_eq!(found(&labelled("virt_content_t:s0"), &BLOCKDEV), blocks("selinux-denied"));
    assert_eq!(found(&labelled("svirt_image_t:s0:c1,c2"), &DRIVE), blocks("selinux-categories"));
    assert_eq!(
        found(&labelled("nobody_knows_t:s0"), &DRIVE),
        [("selinux-denied", Verdict::Unknown)]
    );
    let fixed = "<seclabel type='static' model='selinux'><label>system_u:system_r:svirt_t:s0:c1,c2</label></seclabel>";
    assert_eq!(found_in(&labelled("svirt_image_t:s0:c1,c2"), fixed, &DRIVE), []);
    for label in ["default_t:s0", "nobody_knows_t:s0"] {
        assert_eq!(found(&labelled(label).selinux(Mode::Permissive), &DRIVE), []);
    }
    // What is not confined runs as the daemon does.
    let free = "<seclabel type='none' model='selinux'/>";
    assert_eq!(found_in(&labelled("svirt_image_t:s0:c1,c2"), free, &BLOCKDEV), []);
    assert_eq!(found_in(&labelled("default_t:s0"), free, &DRIVE), blocks("selinux-denied"));
}

#[test]
fn selinux_lets_new_files_be_made_where_it_was_measured() {
    let made = |label: &str, argv: &[&str]| {
        let host = host().selinux(Mode::Enforcing).absent("/srv/d/x", 0o777);
        found(
            &host.with("/srv/d/x", "/srv/d", |step| {
                step.label = Some(format!("system_u:object_r:{label}:s0"));
            }),
            argv,
        )
    };
    const FILE: [&str; 2] = ["-chardev", "file,id=c,path=/srv/d/x"];
    const SOCKET: [&str; 2] = ["-chardev", "socket,id=c,path=/srv/d/x,server=on,wait=off"];
    // It bears the categories of one start.
    assert_eq!(made("var_t", &FILE), [("selinux-next-start", Verdict::Warns)]);
    assert_eq!(made("var_t", &SOCKET), blocks("selinux-denied"));
    assert_eq!(made("svirt_image_t", &SOCKET), []);
    assert_eq!(made("default_t", &FILE), blocks("selinux-denied"));
    assert_eq!(
        made("tmpfs_t", &["-object", "memory-backend-file,id=m,mem-path=/srv/d/x,size=1M"]),
        blocks("selinux-denied")
    );
}

#[test]
fn the_kernels_own_answer_comes_before_the_table() {
    let mut asked = host()
        .selinux(Mode::Enforcing)
        .file("/srv/a.img", 0o666)
        .label("/srv/a.img", "default_t:s0");
    let source = "system_u:system_r:svirt_t:s0:c1021,c1022";
    let key = format!("{source} system_u:object_r:default_t:s0 file");
    asked.0.selinux.decisions.insert(key, vec!["open".into(), "read".into()]);
    assert_eq!(found(&asked, &DRIVE), []);
    assert_eq!(found(&asked, &BLOCKDEV), blocks("selinux-denied"));
}

#[test]
fn under_selinux_root_is_a_user_like_any_other() {
    let enforcing = || host().selinux(Mode::Enforcing);
    let root = |relabel: &str| {
        format!(
            "<seclabel type='static' model='dac' relabel='{relabel}'><label>root:root</label></seclabel>"
        )
    };
    assert_eq!(found_in(&enforcing(), &root("no"), &[]), blocks("selinux-root"));
    assert_eq!(found_in(&enforcing(), &root("yes"), &[]), blocks("selinux-root"));
    let open = enforcing().at("/var/lib/libvirt/qemu", FileKind::Directory, 0o755, 64055);
    assert_eq!(found_in(&open, &root("yes"), &[]), []);
    assert_eq!(found_in(&host().selinux(Mode::Permissive), &root("no"), &[]), []);
    let free = format!("{}<seclabel type='none' model='selinux'/>", root("no"));
    assert_eq!(found_in(&enforcing(), &free, &[]), []);
    let other = |host: Host| {
        host.at("/srv/a.img", FileKind::File, 0o600, 1000).label("/srv/a.img", "svirt_image_t:s0")
    };
    assert_eq!(found(&other(enforcing()).root(), &DRIVE), blocks("dac-unreadable"));
    assert_eq!(found(&other(host().selinux(Mode::Permissive)).root(), &DRIVE), []);
    // The running kernel's policy has the last word.
    let mut asked = other(enforcing()).root();
    let process = "system_u:system_r:svirt_t:s0:c1021,c1022";
    asked
        .0
        .selinux
        .decisions
        .insert(format!("{process} {process} capability"), vec!["dac_override".into()]);
    assert_eq!(found(&asked, &DRIVE), []);
}

#[test]
fn a_static_selinux_label_must_be_one_that_libvirt_can_give() {
    let label = "system_u:system_r:other_t:s0:c1,c2";
    let own = format!("<seclabel type='static' model='selinux'><label>{label}</label></seclabel>");
    let daemon = "system_u:system_r:virtd_t:s0";
    let key = "system_u:object_r:svirt_image_t:s0:c1,c2";
    let with = |socket: &str, process: &str, file: &[&str]| {
        let mut host = host().selinux(Mode::Enforcing);
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let decisions = &mut host.0.selinux.decisions;
        decisions.insert(format!("{daemon} {label} unix_stream_socket"), texts(&[socket]));
        decisions.insert(format!("{daemon} {label} process"), texts(&[process]));
        decisions.insert(format!("{label} {key} file"), texts(file));
        host.0.selinux.known.insert(label.to_owned(), true);
        host
    };
    assert_eq!(found_in(&with("create", "transition", &["open", "read"]), &own, &[]), []);
    assert_eq!(
        found_in(&with("", "transition", &["open", "read"]), &own, &[]),
        blocks("selinux-label")
    );
    assert_eq!(
        found_in(&with("create", "", &["open", "read"]), &own, &[]),
        blocks("selinux-label")
    );
    assert_eq!(
        found_in(&with("create", "transition", &["open"]), &own, &[]),
        blocks("selinux-label")
    );
    let mut unknown = with("create", "transition", &["open", "read"]);
    unknown.0.selinux.known.insert(label.to_owned(), false);
    assert_eq!(found_in(&unknown, &own, &[]), blocks("selinux-label"));
    let unasked = host().selinux(Mode::Enforcing);
    assert_eq!(found_in(&unasked, &own, &[]), [("selinux-label", Verdict::Unknown)]);
    assert_eq!(found_in(&unasked, &own.replace("other_t", "svirt_t"), &[]), []);
}

#[test]
fn a_boolean_opens_network_file_systems() {
    let with = |on: Option<bool>| {
        let mut host = host()
            .selinux(Mode::Enforcing)
            .file("/srv/a.img", 0o666)
            .label("/srv/a.img", "nfs_t:s0");
        host.0.selinux.booleans.extend(on.map(|on| ("virt_use_nfs".to_owned(), on)));
        host
    };
    assert_eq!(found(&with(Some(true)), &BLOCKDEV), []);
    assert_eq!(found(&with(Some(false)), &BLOCKDEV), blocks("selinux-denied"));
    assert_eq!(found(&with(None), &BLOCKDEV), [("selinux-denied", Verdict::Unknown)]);
    let findings = judged(&with(Some(false)), &domain("", &BLOCKDEV));
    assert!(
        findings[0]
            .remedies
            .iter()
            .any(|r| r.step == Step::RunCommand("setsebool -P virt_use_nfs on".into()))
    );
}

#[test]
fn apparmor_labels_and_broken_rules_stop_the_start() {
    let with = || host().apparmor(&[("/srv/**", "rwk")]);
    let own = "<seclabel type='static' model='apparmor'><label>unconfined</label></seclabel>";
    assert_eq!(found_in(&with(), own, &[]), blocks("apparmor-label"));
    let base = "<seclabel type='dynamic' model='apparmor'><baselabel>x</baselabel></seclabel>";
    assert_eq!(found_in(&with(), base, &[]), blocks("apparmor-label"));
    assert_eq!(found_in(&with(), "<seclabel type='dynamic' model='apparmor'/>", &[]), []);
    let mut broken = with();
    let Some(Known::Yes(profile)) = broken.0.apparmor.profiles.get_mut("") else { unreachable!() };
    profile.broken = Some("local: '/srv/a r'".into());
    assert_eq!(found(&broken, &[]), blocks("apparmor-profile"));
    assert_eq!(found_in(&broken, "<seclabel type='none' model='apparmor'/>", &[]), []);
    let mut unclear = with();
    let Some(Known::Yes(profile)) = unclear.0.apparmor.profiles.get_mut("") else { unreachable!() };
    profile.unclear = Some("local:1: if @{X} in @{Y}".into());
    assert_eq!(found(&unclear, &[]), [("apparmor-profile", Verdict::Unknown)]);
    let unclear = unclear.file("/srv/a.img", 0o666);
    assert_eq!(found(&unclear, &DRIVE), [("apparmor-profile", Verdict::Unknown)]);
}

#[test]
fn a_profile_that_only_logs_denies_what_it_does_not_log() {
    let with = |change: fn(&mut FileRule)| {
        let host = host().apparmor(&[("/srv/**", "w")]).file("/srv/a.img", 0o666);
        super::with(host, |host| {
            let Some(Known::Yes(profile)) = host.apparmor.profiles.get_mut("") else {
                unreachable!()
            };
            profile.complain = true;
            change(&mut profile.rules[0]);
        })
    };
    assert_eq!(found(&with(|_| {}), &DRIVE), []);
    assert_eq!(found(&with(|rule| rule.deny = true), &DRIVE), []);
    let all = |rule: &mut FileRule| {
        rule.deny = true;
        rule.permissions = "rwk".into();
    };
    assert_eq!(found(&with(all), &DRIVE), blocks("apparmor-denied"));
    let logged = |rule: &mut FileRule| {
        rule.deny = true;
        rule.audit = true;
        rule.permissions = "rwk".into();
    };
    assert_eq!(found(&with(logged), &DRIVE), []);
}

#[test]
fn apparmor_is_judged_by_the_profile() {
    let with = |rules: &[(&str, &str)]| host().apparmor(rules).file("/srv/a.img", 0o666);
    assert_eq!(found(&with(&[]), &DRIVE), blocks("apparmor-denied"));
    assert_eq!(found(&with(&[("/srv/**", "rwk")]), &DRIVE), []);
    assert_eq!(found(&with(&[("/srv/**", "r")]), &DRIVE), blocks("apparmor-denied"));
    assert_eq!(found(&with(&[("/srv/**", "rw")]), &BLOCKDEV), []);
    assert_eq!(found_in(&with(&[]), "<seclabel type='none' model='apparmor'/>", &DRIVE), []);
    assert_eq!(found(&with(&[]).conf("security_driver = \"none\""), &DRIVE), []);
    assert_eq!(found(&with(&[]).conf("security_driver = []"), &DRIVE), blocks("apparmor-denied"));
}

#[test]
fn who_connects_is_looked_at_by_some_kernels() {
    let argv = ["-chardev", "socket,id=c,path=/run/s"];
    let with = |connecting: Known<Connecting>, rules: &[(&str, &str)]| {
        let mut host = host().apparmor(rules).at("/run/s", FileKind::Socket, 0o777, 0);
        host.0.listening = Known::Yes(vec!["/run/s".into()]);
        host.0.apparmor.connecting = connecting;
        found(&host, &argv)
    };
    let rules = [("/run/s", "rw")];
    assert_eq!(with(Known::Yes(Connecting::Free), &[]), []);
    assert_eq!(with(Known::Yes(Connecting::Mediated), &[]), blocks("apparmor-denied"));
    let unknown = [("apparmor-denied", Verdict::Unknown)];
    assert_eq!(with(Known::Yes(Connecting::IfCompiled), &[]), unknown);
    assert_eq!(with(Known::default(), &[]), unknown);
    for connecting in [Connecting::Mediated, Connecting::IfCompiled] {
        assert_eq!(with(Known::Yes(connecting), &rules), []);
    }
}

#[test]
fn what_is_made_meets_apparmor_before_the_modes() {
    let first = |host: &Host, argv: &[&str]| {
        let findings = judged(host, &domain("", argv)).into_iter();
        let first = findings.filter(|finding| finding.verdict == Verdict::Blocks && finding.first);
        first.map(|finding| finding.rule).collect::<Vec<_>>()
    };
    let new = ["-chardev", "file,id=c,path=/srv/log"];
    let bare = || host().apparmor(&[]);
    assert_eq!(first(&bare().absent("/srv/log", 0o755), &new), ["apparmor-denied"]);
    assert_eq!(first(&bare().absent("/srv/log", 0o700), &new), ["closed-directory"]);
    assert_eq!(first(&bare().file("/srv/log", 0o600), &new), ["dac-unwritable"]);
    let socket = ["-chardev", "socket,id=c,path=/srv/log,server=on,wait=off"];
    assert_eq!(first(&bare().absent("/srv/log", 0o755), &socket), ["apparmor-denied"]);
    // A filter of system calls is met before all else.
    assert_eq!(first(&host(), &["-runas", "nobody"]), ["seccomp-privileges"]);
}
