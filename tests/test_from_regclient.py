"""Each line of "coming from regclient's regsync" is held to by a test, which is named here."""

from __future__ import annotations

import ast
import re
from typing import Final

from tests.support.pages import ROOT

PAGE: Final = ROOT / "docs" / "reference" / "from-regclient.md"
SHOWN_BY: Final = {
    "unknown keys": "unit/config/test_refusals.py::test_a_bad_file_is_refused_with_its_place",
    "duplicate keys": "unit/config/test_yaml.py::test_duplicate_keys_are_refused_with_both_places_unless_allowed",
    "a byte order mark before the first key": "unit/config/test_yaml.py::test_a_byte_order_mark_is_no_part_of_the_text",
    "unquoted text that begins with `%`, `,` or `}`":
        "unit/config/test_yaml.py::test_what_is_no_configuration_is_placed",
    "mistakes in the file":
        "unit/config/test_refusals.py::test_everything_wrong_is_told_at_once_in_the_order_of_the_file",
    "one entry that cannot work": "e2e/test_left_out.py::test_once_runs_the_other_entries_and_exits_with_one",
    "patterns": "unit/sync/test_patterns.py::test_outer_alternatives_that_take_parts_of_names_in_go_are_told",
    "a pattern that begins with a quantifier, `*-windows`":
        "unit/sync/test_patterns.py::test_a_quantifier_at_the_beginning_means_any_beginning_or_nothing",
    r"`\Q` without `\E` at the end of a pattern":
        "unit/sync/test_patterns.py::test_what_is_begun_to_be_quoted_and_does_not_end_is_told",
    r"a pattern that ends with `\`": "unit/sync/test_patterns.py::test_what_re2_does_not_take_is_malformed",
    "prereleases in `semverRange`": "unit/sync/test_semver.py::test_a_range_takes_these_tags_and_not_those",
    "a range in which no version can lie, `>2 <1`":
        "unit/sync/test_semver.py::test_a_range_in_which_no_version_lies_is_told",
    "`ratelimit`, headers that vanish while an image waits":
        "unit/sync/test_quota.py::test_an_image_waits_until_enough_are_left_and_is_asked_for_once_a_wait",
    "`ratelimit.min` above the whole limit":
        "unit/sync/test_quota.py::test_a_limit_that_can_never_be_met_fails_and_says_both_numbers",
    "`ratelimit`": "integration/test_registry_quota.py::"
        "test_what_was_said_a_moment_ago_is_not_asked_for_and_an_answer_serves_the_decision_too",
    "`fastCopy`": "unit/config/test_model.py::test_a_step_takes_a_boolean_it_does_not_say_and_fast_copy_is_fast_check",
    "`credExpire: 1h`": "unit/config/test_scalars.py::test_the_expiry_of_a_login_may_also_be_nanoseconds",
    "`reqConcurrent` not set": "unit/test_limits.py::test_a_host_without_cap_is_probed_upwards_and_halved_by_trouble",
    "`parallel` not set": "unit/config/test_model.py::"
        "test_fewer_than_one_image_at_a_time_is_the_usual_number_of_them",
    "503, 52x, resets, cut-off bodies":
        "integration/test_single_faults.py::test_one_transient_fault_is_survived_and_nothing_is_missing",
    "a registry that offers user and password, and tokens": (
        "unit/registry/login/test_auth_schemes.py::test_a_password_is_tried_where_tokens_are_refused"
    ),
    "`credsStore`": "unit/test_hosts.py::test_dockers_store_is_asked_about_every_registry_without_a_login",
    "`registrytoken` in docker's file": (
        "unit/registry/login/test_auth_kinds.py::"
        "test_a_token_for_the_registry_itself_is_shown_as_it_is_and_no_token_server_is_asked"
    ),
    "a token refused before its time": "e2e/test_auth.py::test_a_token_revoked_early_is_fetched_once_more",
    "mirrors of a target": "e2e/test_mirrors.py::test_a_target_is_asked_itself_whatever_mirrors_it_has",
    "`priority`": "integration/test_mirrors.py::test_lower_priorities_come_first_and_of_equals_the_mirrors",
    "a mirror that fails": "integration/test_mirrors.py::"
        "test_a_mirror_that_fails_is_asked_once_told_of_once_and_the_registry_answers",
    "a registry that has not got something": "integration/test_mirrors.py::"
        "test_a_mirror_behind_the_registry_helps_out_when_that_fails_and_never_says_what_is_not_there",
    "a mirror that lists no referrers":
        "integration/test_mirrors.py::test_that_nothing_refers_to_an_image_is_believed_of_the_registry_alone",
    "`?ns=` for a mirror's list of tags":
        "integration/test_mirrors.py::test_what_a_mirror_lacks_is_asked_of_the_registry_which_hears_nothing_of_mirrors",
    "slots of a copy (`reqConcurrent`)":
        "integration/test_mirrors.py::test_a_copy_holds_a_slot_at_whoever_it_reads_from_and_at_no_other",
    "a blob of which a mirror gives wrong bytes":
        "integration/test_mirrors.py::test_a_mirror_that_gave_wrong_bytes_of_a_blob_is_not_asked_for_it_again",
    "`ALL_PROXY`": "unit/registry/http/test_proxies.py::"
        "test_a_proxy_of_its_own_goes_before_that_for_all_and_upper_case_before_lower",
    "`socks4://`, `socks4a://` and `socks://` proxies":
        "integration/test_proxies.py::test_socks_4a_is_told_the_name_and_the_user",
    "`index.docker.io` in `creds`": "unit/test_hosts.py::test_docker_hub_has_many_names",
    "`registry: host/path` in `creds`": "unit/test_hosts.py::test_a_path_behind_a_registry_is_cut_off",
    "a later item for a registry with another login":
        "unit/test_hosts.py::test_a_login_takes_the_place_of_another",
    "`blobLimit` above 64 MiB":
        "unit/registry/content/test_learnt.py::test_a_demanded_chunk_length_is_obeyed_within_what_we_hold_in_memory",
    "a helper that hangs": "e2e/test_auth.py::test_a_helper_that_hangs_is_ended_and_fails_its_own_registry_alone",
    "referrers and digest tags of a `platform` copy":
        "unit/sync/test_refreshing.py::test_the_referrers_of_the_image_of_a_platform_are_refreshed",
    "children missing under an unchanged index": "unit/sync/test_refreshing.py::"
        "test_a_child_and_a_blob_that_got_lost_under_an_unchanged_index_come_back_when_that_is_forced",
    "`referrerSlow`": "e2e/test_referrer_options.py::test_referrers_no_list_names_are_found_by_looking_slowly",
    "`cacheCount`, `cacheTime`":
        "unit/sync/test_lookups.py::test_a_list_of_referrers_is_good_for_its_time_and_grows_no_younger_by_use",
    "a `referrerSource` or `referrerTarget` that cannot be read":
        "unit/config/test_referrers.py::test_a_place_for_referrers_that_is_no_repository_is_an_error_with_its_place",
    "a tag in `referrerSource` or `referrerTarget`":
        "unit/config/test_referrers.py::test_a_place_for_referrers_that_is_no_repository_is_an_error_with_its_place",
    "`digestTags` with `referrerSource`, where a tag lists the image's own referrers":
        "e2e/test_referrer_options.py::test_digest_tags_do_not_replace_referrers_from_elsewhere_by_the_image_s_own",
    "a list of referrers that fails, or is damaged in a layout":
        "unit/registry/content/test_referrers.py::test_a_list_that_cannot_be_read_is_an_error_and_not_an_empty_list",
    "two programs that attach to one image at a registry without the referrers API":
        "integration/test_attaching_at_once.py::test_processes_that_attach_to_one_image_at_once_lose_nothing",
    "referrers of a referrer the target has": "unit/sync/test_refreshing.py::"
        "test_what_refers_to_a_referrer_is_asked_for_once_an_hour_and_to_an_image_each_time",
    "a manifest listed as a referrer that names another subject":
        "e2e/test_referrer_options.py::test_a_referrer_that_names_another_subject_is_refused",
    "`forceRecursive` with `check`": "unit/sync/test_refreshing.py::"
        "test_a_check_says_truly_whether_something_would_be_copied_and_writes_nothing",
    "`Image refreshing`":
        "unit/sync/test_refreshing.py::test_what_was_added_to_an_image_is_told_as_a_refreshing_and_copied",
    "`check`": "e2e/test_check.py::test_a_check_says_what_is_needed_and_writes_nothing",
    "exit codes": "e2e/test_check.py::test_a_wrong_command_line_is_exit_code_2_and_no_traceback",
    "`config`": "unit/config/test_dump.py::test_secrets_are_printed_only_when_asked_for",
    "a second SIGINT or SIGTERM": "e2e/test_server.py::test_a_second_signal_ends_it_at_once",
    "start of `server`": "unit/daemon/test_server.py::"
        "test_leaders_go_first_wherever_they_stand_and_whoever_is_never_due_runs_once",
    "files in layouts": "unit/layout/test_blobs.py::test_modes_are_left_to_the_umask",
    "a layout whose index cannot be read":
        "unit/layout/test_directory.py::test_an_unreadable_index_is_an_error_and_nothing_is_touched",
    "tidying a layout": "unit/layout/test_gc.py::test_nothing_goes_while_another_process_writes",
    "layouts and several processes":
        "e2e/test_many_processes.py::test_eight_processes_add_twenty_tags_each_to_one_layout",
    "`regsync version`": "unit/test_cli.py::test_the_version_is_printed_as_a_template_says",
    "`completion`, `cli-doc`":
        "unit/test_completion.py::test_an_unknown_shell_is_a_usage_error_that_names_the_known_ones",
    "`once --missing`, image gone at its source":
        "e2e/test_check.py::test_what_is_gone_at_its_source_is_not_missing_where_the_target_has_its_name",
    "a bad tag as `backup`": "e2e/test_backup.py::test_an_image_whose_backup_has_no_name_is_not_copied",
    "`hooks`": "e2e/test_hooks.py::test_a_pre_that_fails_skips_its_image_alone_and_the_run_exits_with_1",
    "a failing image": "unit/observe/test_ending.py::test_a_failure_is_one_line_with_its_place_and_its_tries",
    "a target that cannot be reached":
        "unit/sync/test_trouble.py::test_a_target_in_trouble_fails_before_anything_is_read_from_the_source",
    "401 or 403 when a target is looked at":
        "e2e/test_auth.py::test_fifty_tags_with_a_wrong_password_make_no_storm",
    "a child of an index that is of another type than the index says":
        "unit/sync/test_lookups.py::test_a_manifest_that_is_not_as_it_is_listed_is_refused",
    '`{{ env "X" }}` that is not set': "unit/template/test_unset.py::test_a_variable_that_is_not_set_is_told",
    "layouts that are not there and nobody here can make, programs of hooks that are not there":
        "unit/test_fitness.py::test_where_no_target_can_be_written_to_each_directory_is_refused_on_one_line",
    '`{{ file "x" }}` that cannot be read': "unit/config/test_templates.py::test_a_file_that_cannot_be_read_is_named",
    "a `user`, `pass` or `token` template that comes to nothing":
        "unit/config/test_templates.py::test_a_login_that_comes_to_nothing_is_refused",
    "templates in `hostname`, `token` and other texts of `creds`":
        "unit/config/test_templates.py::test_all_texts_of_a_login_are_expanded_and_see_no_entry",
    "templates that cannot work":
        "unit/config/test_templates.py::test_every_template_that_fails_is_told_and_nothing_is_told_twice",
    "templates without end": "unit/template/test_limits.py::test_a_template_that_goes_on_is_stopped",
    "complex numbers, and text that is not UTF-8, in templates":
        "unit/template/test_any_text.py::test_a_text_is_a_template_or_refused",
    "a copy onto a mirror of its source":
        "unit/config/test_mirrors.py::test_a_copy_onto_a_mirror_of_its_source_is_warned_of",
    "a signed schema 1 manifest into a layout":
        "integration/test_schema1.py::test_a_layout_takes_no_signed_ones_and_says_why",
    "keys of manifests in another case, `mediatype`":
        "unit/oci/test_manifest_keys.py::test_a_key_is_refused_exactly_where_a_client_that_ignores_case_would_read_it",
    "a digest as target that is not the source's":
        "unit/sync/test_trouble.py::test_an_image_is_not_stored_under_a_digest_that_is_not_its_own",
    "numbers below zero":
        "unit/config/test_numbers.py::"
        "test_a_number_that_cannot_be_meant_is_refused_with_its_place_and_what_to_write",
    "an unknown `--logopt`": "unit/test_cli.py::test_an_unknown_verbosity_or_log_option_is_refused",
    "log lines": "unit/observe/test_logs.py::test_a_line_has_the_keys_and_the_form_the_go_regsync_writes",
    "messages that do not exist here": "test_from_regclient.py::test_no_message_is_called_missing_that_is_there",
}  # fmt: skip


def topics() -> list[str]:
    """The first cell of every row."""
    rows = [re.split(r"(?<!\\)\|", line) for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:2] == "| "]
    return [row[1].strip() for row in rows if row[1].strip(" -")]


def test_every_row_is_shown_by_a_test() -> None:
    assert sorted(set(topics()) ^ set(SHOWN_BY)) == []


def test_every_test_that_is_named_is_one() -> None:
    gone = [place for place in SHOWN_BY.values() if place.partition("::")[2] not in functions(place.partition("::")[0])]
    assert gone == []


def functions(file: str) -> set[str]:
    """The names of the functions of a file of tests."""
    tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_no_message_is_called_missing_that_is_there() -> None:
    (row,) = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if "messages that do not exist" in line]
    messages = re.findall(r"`([^`]+)`", row.split("|")[2])
    package = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "regsync").rglob("*.py"))
    assert len(messages) > 10
    assert [message for message in messages if f'"{message}"' in package] == []
