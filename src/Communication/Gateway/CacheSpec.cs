using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Groundwork.Communication.Gateway.Content.Caching;

namespace Groundwork.Communication.Gateway;

/// <summary>Has the answers of a route kept and given again, as RFC 9111 lets a shared cache do.</summary>
public sealed record CacheSpec(
    [Description("What of the query tells answers apart: exact (as sent), sorted (by name), listed (queryNames alone) "
        + "or ignored.")]
    string Query = "exact",
    [Description("Parameters of the query that count where query is listed, 1 to 32.")]
    [Length(1, CacheRules.MaxNames)]
    IReadOnlyList<string>? QueryNames = null,
    [Description("Request header fields that tell answers apart besides those that Vary names, 1 to 8.")]
    [Length(1, CacheRules.MaxVary)]
    IReadOnlyList<string>? Vary = null,
    [Description("Seconds for which answers are fresh by status (200, 4xx), whatever they say of it themselves; what "
        + "says no-store or private is never kept.")]
    IReadOnlyDictionary<string, int>? TtlSeconds = null,
    [Description("True: an answer that says when it was last modified and not how long it is fresh is so for a tenth "
        + "of its age, a day at most.")]
    bool Heuristic = false,
    [Description("How long after its time an answer is given while a new one is fetched, where it does not say; 0 to "
        + "31,536,000.")]
    [Range(0, CacheRules.MaxSeconds)]
    int StaleWhileRevalidateSeconds = 0,
    [Description("How long after its time an answer is given in place of an error, where it does not say; 0 to "
        + "31,536,000.")]
    [Range(0, CacheRules.MaxSeconds)]
    int StaleIfErrorSeconds = 0,
    [Description("True: also answers to requests with Authorization, where the answer says that it may be shared.")]
    bool WithAuthorization = false,
    [Description("True: also answers that set cookies, which everybody then gets.")]
    bool WithSetCookie = false,
    [Description("True: what clients say in Cache-Control counts for nothing.")]
    bool IgnoreClientControl = false,
    [Description("KiB of the largest answer that is kept, 1 to 16,384.")]
    [Range(1, CacheRules.MaxBodyKilobytes)]
    int MaxBodyKilobytes = 1024,
    [Description("How long a request waits for another that is fetching the same answer, before it asks itself; 0 to "
        + "60,000.")]
    [Range(0, CacheRules.MaxWaitMs)]
    int WaitMs = 5_000,
    [Description("The field by which an answer names the tags it can be purged by.")]
    string TagHeader = "Cache-Tag");
