using System.Collections.Frozen;
using Groundwork.Wire;

namespace Groundwork.Kernel.Hosting.Listening;

/// <summary>
/// What a parameter means, by its name: one word has one meaning in the whole API, so that it is explained once. A test
/// finds parameters without an explanation.
/// </summary>
internal static class ParameterDescriptions
{
    private static readonly FrozenDictionary<string, string> ByName = new Dictionary<string, string>(
        StringComparer.Ordinal)
    {
        ["action"] = "Only entries of this action, such as sign-in or refused.",
        ["after"] = "The revision to start after.",
        ["asOf"] = "A past revision to read at; history below the floor is gone (410).",
        ["atLeast"] = "Wait up to 5 s until this node has seen the revision, then answer.",
        ["author"] = "Only changesets of this principal, such as operator:alice.",
        ["callable"] = "Only instances that traffic goes to now, or only those that it does not go to.",
        ["cd"] = "1 not to check signatures; it is said back.",
        ["dataId"] = "The setting's data id.",
        ["dns"] = "A message of DNS in base64url without padding (RFC 8484).",
        ["do"] = "1 to ask for signatures, of which there are none.",
        ["dryRun"] = "Check and say what would change; write nothing.",
        ["edns_client_subnet"] = "The client's network, where answers go by it.",
        ["failed"] = "Only requests that failed or were refused.",
        ["floor"] = "The revision to compact to.",
        ["format"] = "The declared format of the content: text, json, yaml, xml, properties, flags or toml.",
        ["from"] = "The older revision, or the namespace that is looked from.",
        ["group"] = "The group; default unless given.",
        ["health"] = "Only instances of this health: healthy, suspect or unhealthy.",
        ["hottest"] = "How many of the busiest callers of a limit are told.",
        ["id"] = "The instance's id.",
        ["incarnation"] = "The caller's start; an older one than the registered is refused.",
        ["index"] = "The index that the caller has seen; waits until there is a newer one.",
        ["instance"] = "The instance that reads, service/id; it decides which gray releases are its.",
        ["kind"] = "The kind's name.",
        ["label"] = "key=value; may be repeated, and all must match.",
        ["limit"] = "The most items of one answer.",
        ["name"] = "The name; segments joined by /.",
        ["namespace"] = $"The namespace; {Names.NodeWide} stands for the empty one of node-wide kinds.",
        ["operator"] = "The operator's name.",
        ["outcome"] = "Only entries with this outcome: ok, or an error code; refused for everything but ok.",
        ["page"] = "The token of the next page, from the answer before.",
        ["prefix"] = "Only names that start so.",
        ["principal"] = "Only entries of this principal.",
        ["receipts"] = "True: the instance will say what becomes of what it is sent.",
        ["reveal"] = "Show secrets in clear; needs the verb read-secret, and is audited.",
        ["revision"] = "The changeset's revision.",
        ["route"] = "Only requests of this route: namespace/name.",
        ["same"] = "True: with the keys that are the same in both.",
        ["service"] = "The service's name; group@@name names another group.",
        ["setting"] = "The setting, group/dataId.",
        ["signIn"] = "The sign-in's id.",
        ["since"] = "Only entries from this time on, such as 2026-11-21T08:00:00Z.",
        ["slow"] = "Only requests that took a second or more.",
        ["source"] = "Only these sorts of news, such as changes or services; may be repeated. All unless given.",
        ["specs"] = "False: without the specs of the resources, which makes long pages light.",
        ["state"] = "Only proposals in this state: proposed, released or refused.",
        ["status"] = "Only instances of this status, such as up, or requests that were answered with this one.",
        ["steps"] = "How many calls away from the service, 1 to 5; 1 unless given.",
        ["target"] = "Only entries whose target contains this.",
        ["to"] = "The newer revision, the one to go back to, or the namespace that is looked at.",
        ["token"] = "The id of the last event seen; the stream continues after it.",
        ["type"] = "The type of record, such as A, AAAA or 28; A unless given.",
        ["trace"] = "Only requests of the trace with this id.",
        ["until"] = "Only entries before this time.",
        ["upstream"] = "Only what concerns this upstream or service: namespace/name.",
        ["verb"] = "What it is about, as roles name it: read, write, operate and so on.",
        ["version"] = "Only instances of this version of their service's code.",
        ["wait"] = "How long to wait for news, such as 30s.",
        ["zone"] = "Only instances in this zone.",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static string? Of(string parameter) => ByName.GetValueOrDefault(parameter);
}
