using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Groundwork.Communication.Gateway.Content.Cors;

namespace Groundwork.Communication.Gateway;

/// <summary>Which pages of other origins may call a route from a browser (CORS).</summary>
public sealed record CorsSpec(
    [Description(
        "1 to 64 origins: https://shop.example.com, https://*.example.com for any name below it, null, or * for all.")]
    [Length(1, CorsRules.MaxOrigins)]
    IReadOnlyList<string> Origins,
    [Description("Methods that they may use; GET, HEAD, POST, PUT, PATCH and DELETE when not given.")]
    [Length(1, CorsRules.MaxNames)]
    IReadOnlyList<string>? Methods = null,
    [Description("Request header fields that they may set; * for whichever they ask for. Those that need no leave "
        + "always may.")]
    [Length(1, CorsRules.MaxNames)]
    IReadOnlyList<string>? Headers = null,
    [Description("Header fields of answers that they may read; * for all.")]
    [Length(1, CorsRules.MaxNames)]
    IReadOnlyList<string>? Exposed = null,
    [Description("True: browsers send cookies along. Then origins and exposed must be written out.")]
    bool Credentials = false,
    [Description("How long a browser need not ask again, 0 to 86,400.")]
    [Range(0, CorsRules.MaxAgeSeconds)]
    int MaxAgeSeconds = 600);
