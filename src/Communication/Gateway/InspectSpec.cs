using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Groundwork.Communication.Gateway.Inspection;

namespace Groundwork.Communication.Gateway;

/// <summary>Has requests looked through for attacks on the service behind the route.</summary>
public sealed record InspectSpec(
    [Description("detect: what is found is recorded and counted, and passes. block: it is refused.")]
    [AllowedValues("detect", "block")]
    string Mode = "detect",
    [Description("The score from which a value counts as an attack, 1 to 100. A rule gives 2 to 5.")]
    [Range(1, InspectRules.MaxThreshold)]
    int Threshold = 5,
    [Description("1: rules that ordinary text seldom meets. 2: those too that find more, and err more.")]
    [Range(1, InspectRules.MaxLevel)]
    int Level = 1,
    [Description("What is looked for: sql, xss, traversal, command; all when not given.")]
    [AllowedValues("sql", "xss", "traversal", "command")]
    [Length(1, 4)]
    IReadOnlyList<string>? Classes = null,
    [Description("Header fields that are looked at, 0 to 32; user-agent and referer when not given.")]
    [Length(0, InspectRules.MaxHeaders)]
    IReadOnlyList<string>? Headers = null,
    [Description("Bytes of a body that are held and looked at, 0 to 1,048,576; 0: no bodies.")]
    [Range(0, InspectRules.MaxBodyBytes)]
    int BodyBytes = 65_536,
    [Description("What block does with a body that cannot be looked at whole, being larger or compressed: refuse, or "
        + "pass with what was seen of it.")]
    [AllowedValues("refuse", "pass")]
    string Unseen = "refuse",
    [Description("What is not held against a request, at most 64.")]
    [Length(1, InspectRules.MaxExceptions)]
    IReadOnlyList<InspectException>? Except = null);

/// <summary>Rules that do not count, for some parameters or for all.</summary>
public sealed record InspectException(
    [Description("Names of parameters, of fields of forms and of members of JSON, or cookie:NAME, header:NAME, path; "
        + "at most 64; all when not given.")]
    [Length(1, InspectRules.MaxNames)]
    IReadOnlyList<string>? Parameters = null,
    [Description("Rules by their id, such as sql-union, at most 64; all when not given.")]
    [Length(1, InspectRules.MaxNames)]
    IReadOnlyList<string>? Rules = null);
