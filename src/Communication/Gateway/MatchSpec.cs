using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Groundwork.Communication.Gateway;

/// <summary>Which requests a route takes: all that is said must hold.</summary>
public sealed record MatchSpec(
    [Description(
        "Names that the request may be for: shop.example.com, *.example.com (any name below it), 127.0.0.1, "
        + "[::1], or * for any host, which must be written out. At least one, at most 64; without port.")]
    [Length(1, MatchRules.MaxHosts)]
    IReadOnlyList<string> Hosts,
    [Description(
        "/cart: exactly this path. /orders/{id}: with one segment captured. /api/catalog/**: /api/catalog and "
        + "everything below it. /**: everything. ~/items/[0-9]+: an expression for the whole path.")]
    string Path,
    [Description("The methods it serves, such as GET; all when not given.")]
    [Length(1, MatchRules.MaxMethods)]
    IReadOnlyList<string>? Methods = null,
    [Description("Header fields, at most 16. Of several fields of one name any may be the one.")]
    [Length(1, MatchRules.MaxFields)]
    IReadOnlyList<FieldMatch>? Headers = null,
    [Description("Parameters of the query, at most 16, compared with their escapes decoded.")]
    [Length(1, MatchRules.MaxFields)]
    IReadOnlyList<FieldMatch>? Query = null,
    [Description("Cookies, at most 16.")]
    [Length(1, MatchRules.MaxFields)]
    IReadOnlyList<FieldMatch>? Cookies = null,
    [Description("Networks of clients, such as 10.0.0.0/8 or 2001:db8::/32; at most 64.")]
    [Length(1, MatchRules.MaxNetworks)]
    IReadOnlyList<string>? Clients = null,
    [Description("When it takes them.")]
    TimeMatch? Time = null);

/// <summary>
/// What a header field, a parameter of the query or a cookie must be: exactly one of values, prefix, pattern, present.
/// </summary>
public sealed record FieldMatch(
    [Description("Its name; of header fields in any case.")]
    string Name,
    [Description("It is one of these, at most 32.")]
    [Length(1, MatchRules.MaxValues)]
    IReadOnlyList<string>? Values = null,
    [Description("It begins with this.")]
    string? Prefix = null,
    [Description("An expression for all of it.")]
    string? Pattern = null,
    [Description("True: it is there, whatever it is. False: it is not there.")]
    bool? Present = null);

/// <summary>A time of the week, or a span of time, on the clocks of one place.</summary>
public sealed record TimeMatch(
    [Description("The place, by its IANA name: Europe/Berlin, Etc/UTC.")]
    string Zone,
    [Description("Days of the week on which it begins; all when not given.")]
    [AllowedValues("mon", "tue", "wed", "thu", "fri", "sat", "sun")]
    IReadOnlyList<string>? Days = null,
    [Description("HH:mm, from which minute on; 00:00 when not given.")]
    string? From = null,
    [Description("HH:mm, the minute before which it ends; the end of the day when not given. Earlier than from: on "
        + "the next day.")]
    string? To = null,
    [Description("YYYY-MM-DDTHH:mm, not before it.")]
    string? Begins = null,
    [Description("YYYY-MM-DDTHH:mm, no longer from it on.")]
    string? Ends = null);
