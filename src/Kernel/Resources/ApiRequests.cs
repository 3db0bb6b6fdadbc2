using System.Collections.Immutable;
using System.Globalization;
using Groundwork.Kernel.Hosting;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Kernel.Resources;

/// <summary>What endpoints that read and write resources take from a request: keys, conditions, reasons, ids.</summary>
public static class ApiRequests
{
    /// <summary>How long a reader may ask to wait for a revision that this node has not seen.</summary>
    public static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(5);

    /// <summary>The resource that the path names; <c>_</c> is the empty namespace.</summary>
    public static ResourceKey Key(HttpContext context)
    {
        var values = context.Request.RouteValues;
        var ns = values["namespace"] as string ?? "";
        return new ResourceKey(
            values["kind"] as string ?? "", ns == Names.NodeWide ? "" : ns, values["name"] as string ?? "");
    }

    /// <summary>
    /// The revision that <c>If-Match: "R"</c> or <c>If-None-Match: *</c> asks for; null without either.
    /// </summary>
    public static Outcome<long?> Condition(HttpRequest request)
    {
        var match = request.Headers.IfMatch.ToString();
        var noneMatch = request.Headers.IfNoneMatch.ToString();
        if (match.Length > 0 && noneMatch.Length > 0)
            return new Fault(ErrorCodes.BadRequest, "If-Match and If-None-Match exclude each other.");
        if (noneMatch.Length > 0)
        {
            return noneMatch == "*"
                ? (long?)0
                : new Fault(ErrorCodes.BadRequest, "If-None-Match is '*' on a write: create, do not replace.");
        }
        if (match.Length == 0) return (long?)null;
        return match is ['"', .. var text, '"']
            && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var revision)
            ? revision
            : new Fault(ErrorCodes.BadRequest, "If-Match is the ETag of one version, such as \"42\" with its quotes.");
    }

    public static Outcome<Guid?> ChangesetId(HttpRequest request)
    {
        var text = request.Headers[HeaderNames.IdempotencyKey].ToString();
        if (text.Length == 0) return (Guid?)null;
        return Guid.TryParse(text, out var id)
            ? id
            : new Fault(ErrorCodes.ChangesetIdInvalid, $"{HeaderNames.IdempotencyKey} is a UUID, not '{text}'.");
    }

    public static string Reason(HttpRequest request) =>
        Uri.UnescapeDataString(request.Headers[HeaderNames.Reason].ToString());

    public static Outcome<int> Limit(int? limit, int usual, int most) =>
        (limit ?? usual) is var number && number >= 1 && number <= most
        ? number
        : new Fault(ErrorCodes.BadRequest, $"'limit' is 1 to {most}, not {limit}.");

    /// <summary>
    /// The fault of a call that names a kind which nothing here has; null for no kind. The resources of a module that
    /// is not loaded are shown raw, so their kind is known.
    /// </summary>
    public static Fault? CheckKind(ChangeLog changes, string? kind) =>
        kind is null || changes.Kinds.Find(kind) is not null || changes.Snapshots.Current.Count(kind) > 0
            ? null
            : new Fault(ErrorCodes.KindUnknown, $"There is no kind '{kind}' here.");

    /// <summary>
    /// The fault of a filter by what is no namespace, which would find nothing for ever; null for none and for _.
    /// </summary>
    public static Fault? CheckNamespace(string? name) =>
        name is null or Names.NodeWide || Names.IsNamespace(name)
            ? null
            : Namespaces.Misnamed(name);

    /// <summary><c>label=key=value</c>, any number of times: all must match.</summary>
    public static Outcome<ImmutableArray<KeyValuePair<string, string>>> LabelSelector(string[]? labels)
    {
        var selector = ImmutableArray.CreateBuilder<KeyValuePair<string, string>>();
        foreach (var text in labels ?? [])
        {
            var split = text.IndexOf('=', StringComparison.Ordinal);
            if (split <= 0) return new Fault(ErrorCodes.BadRequest, $"A label is selected as key=value, not '{text}'.");
            selector.Add(new(text[..split], text[(split + 1)..]));
        }
        return selector.ToImmutable();
    }

    /// <summary>Endpoint filter: <c>?atLeast=R</c> waits until this node shows the revision.</summary>
    public static Func<EndpointFilterInvocationContext, EndpointFilterDelegate, ValueTask<object?>> AtLeast(
        ISnapshotSource snapshots) => async (invocation, next) =>
    {
        var context = invocation.HttpContext;
        var text = context.Request.Query["atLeast"].ToString();
        if (text.Length == 0) return await next(invocation);
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var revision))
            return Problems.From(new Fault(ErrorCodes.BadRequest, $"'atLeast' is a revision, not '{text}'."));
        var reached = await snapshots.ReachAsync(revision, MaxWait, context.RequestAborted);
        return reached.Succeeded ? await next(invocation) : Problems.From(reached.Fault);
    };
}
