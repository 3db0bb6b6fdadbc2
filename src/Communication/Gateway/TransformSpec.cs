using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Groundwork.Communication.Gateway;

/// <summary>
/// What becomes of a request on its way. Texts may have {name} for what the route's path captures, and {host}, {path},
/// {rest} (the path below a prefix, without its slash) and {client}; {{ is a brace.
/// </summary>
public sealed record RequestChange(
    [Description("The path that the service gets.")]
    PathChange? Path = null,
    [Description("The query that the service gets.")]
    QueryChange? Query = null,
    [Description("The header fields that the service gets.")]
    FieldChange? Headers = null,
    [Description(
        "The Host that the service gets: {host} as the client named it, or a name. Its own address when not given.")]
    string? Host = null);

/// <summary>What becomes of a path: a prefix taken off, then one put on; or a template instead of both.</summary>
public sealed record PathChange(
    [Description("Start of the path that the service does not get to see, such as /api: whole segments.")]
    string? StripPrefix = null,
    [Description("What is put before it, such as /v2.")]
    string? AddPrefix = null,
    [Description("The whole path, such as /v2/orders/{id} or /static/{rest}.")]
    string? Template = null);

/// <summary>What becomes of a query. First is removed, then set, then added.</summary>
public sealed record QueryChange(
    [Description("Parameters that take the place of all of their name; at most 32.")]
    IReadOnlyDictionary<string, string>? Set = null,
    [Description("Parameters that are added behind; at most 32.")]
    IReadOnlyDictionary<string, string>? Add = null,
    [Description("Names of parameters that are taken out; at most 32.")]
    [Length(1, TransformRules.MaxFields)]
    IReadOnlyList<string>? Remove = null);

/// <summary>What becomes of header fields. First is removed and renamed, then set, then added.</summary>
public sealed record FieldChange(
    [Description("Fields that take the place of all of their name; at most 32.")]
    IReadOnlyDictionary<string, string>? Set = null,
    [Description("Fields that are added to those of their name; at most 32.")]
    IReadOnlyDictionary<string, string>? Add = null,
    [Description("Names of fields that are taken out; at most 32.")]
    [Length(1, TransformRules.MaxFields)]
    IReadOnlyList<string>? Remove = null,
    [Description("New names of fields by their old ones; at most 32.")]
    IReadOnlyDictionary<string, string>? Rename = null);

/// <summary>What becomes of an answer on its way back.</summary>
public sealed record ResponseChange(
    [Description("The header fields that the client gets.")]
    FieldChange? Headers = null);

/// <summary>Sends the client elsewhere.</summary>
public sealed record RedirectSpec(
    [Description("Where to: https://shop.example.com/{rest}, or a path of the same host. May have {name} as requests.")]
    string To,
    [Description("301, 302, 303, 307 or 308; 308 and 307 keep the method.")]
    int Status = 302,
    [Description("True: the query goes along.")]
    bool KeepQuery = true);

/// <summary>Answers without a service.</summary>
public sealed record AnswerSpec(
    [Description("200 to 599.")]
    [Range(200, 599)]
    int Status = 200,
    [Description("At most 16,384 characters; none when not given.")]
    string? Body = null,
    [Description("What the body is.")]
    string MediaType = "text/plain; charset=utf-8",
    [Description("Further header fields; at most 32.")]
    IReadOnlyDictionary<string, string>? Headers = null);
