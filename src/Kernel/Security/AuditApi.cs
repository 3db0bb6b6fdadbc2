using System.Globalization;
using System.Text.Json;
using System.Threading.Channels;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Kernel.Security;

/// <summary>The API of the audit trail: <c>/groundwork/v1/audit</c>.</summary>
internal sealed class AuditApi(NodeSecurity security)
{
    private const int DefaultLimit = 100;
    private const int MaxLimit = 1_000;

    // What a role names to grant these: a kind that no resource has.
    private static readonly ResourceKey Trail = new("audit", "", "trail");

    // One at a time: it reads the whole store.
    private readonly SemaphoreSlim verifying = new(1, 1);

    public void Map(IEndpointRouteBuilder endpoints)
    {
        var api = endpoints.MapGroup(Listeners.ApiRoot + "/audit").WithTags("Security");
        api.MapGet("", List)
            .Requires(Verb.Audit, _ => Trail)
            .Describe<AuditList>("listAudit", "A page of the audit trail, newest first.");
        api.MapPost("/verify", (Delegate)Verify)
            .Requires(Verb.Audit, _ => Trail)
            .Describe<AuditVerification>("verifyAudit", "Verifies both chains and the checkpoint file of this node.");
        api.MapGet("/verification", (Delegate)Follow)
            .Requires(Verb.Audit, _ => Trail)
            .Describe<AuditProgress>(
                "followAuditVerification",
                "Verifies as verifyAudit does, telling how far it is: events progress, then one event verification.",
                "text/event-stream");
    }

    private async Task<IResult> List(
        HttpContext context, string? principal, string? action, string? target, string? outcome,
        DateTimeOffset? since, DateTimeOffset? until, int? limit, string? page)
    {
        if (!ApiRequests.Limit(limit, DefaultLimit, MaxLimit).TryGet(out var count, out var fault))
            return Problems.From(fault);
        var before = long.MaxValue;
        if (page is not null && !long.TryParse(page, NumberStyles.None, CultureInfo.InvariantCulture, out before))
            return Problems.From(new Fault(ErrorCodes.BadPageToken, "The page token is not one that this API gave."));
        var filter = new AuditFilter(principal, action, target, outcome, since, until);
        var found = await SecurityApi.StoredAsync(async () => (Outcome<List<AuditEntry>>)await security.Audit.ListAsync(
            before, filter, count, context.RequestAborted));
        if (!found.TryGet(out var rows, out fault)) return Problems.From(fault);
        var next = rows.Count == count ? rows[^1].Sequence.ToString(CultureInfo.InvariantCulture) : null;
        return Results.Json(new AuditList(rows, next), WireJson.Strict.AuditList);
    }

    private async Task<IResult> Verify(HttpContext context)
    {
        var outcome = await VerifyAsync(context, progress: null);
        return outcome.TryGet(out var verification, out var fault)
            ? Results.Json(verification, WireJson.Strict.AuditVerification)
            : Problems.From(fault);
    }

    private async Task Follow(HttpContext context)
    {
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.StartAsync(context.RequestAborted);
        // The newest is enough: a slow reader holds nothing up.
        var steps = Channel.CreateBounded<AuditProgress>(
            new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
        var work = VerifyAsync(context, new Reporter(steps.Writer));
        await foreach (var step in steps.Reader.ReadAllAsync(context.RequestAborted))
            await SendAsync(context, "progress", JsonSerializer.Serialize(step, WireJson.Strict.AuditProgress));
        var outcome = await work;
        if (outcome.TryGet(out var verification, out var fault))
        {
            await SendAsync(
                context, "verification", JsonSerializer.Serialize(verification, WireJson.Strict.AuditVerification));
            return;
        }
        var problem = Problems.ToDocument(fault, context);
        await SendAsync(context, "problem", JsonSerializer.Serialize(problem, WireJson.Strict.ProblemDocument));
    }

    private static async Task SendAsync(HttpContext context, string type, string data)
    {
        await context.Response.WriteAsync($"event: {type}\ndata: {data}\n\n", context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
    }

    private async Task<Outcome<AuditVerification>> VerifyAsync(HttpContext context, Reporter? progress)
    {
        try
        {
            await verifying.WaitAsync(context.RequestAborted);
            try
            {
                var outcome = await SecurityApi.StoredAsync(async () => (Outcome<AuditVerification>)
                    await security.Verifier.VerifyAsync(progress, context.RequestAborted));
                if (outcome.TryGet(out var verification, out _))
                {
                    security.Audit.Append(new AuditEvent(
                        context.Principal().Name, "audit-verify", "audit", AuditLog.Ok,
                        Authenticator.AddressOf(context),
                        verification.Intact ? "intact" : $"{verification.Findings.Count} findings"));
                }
                return outcome;
            }
            finally
            {
                verifying.Release();
            }
        }
        finally
        {
            progress?.Complete();
        }
    }

    private sealed class Reporter(ChannelWriter<AuditProgress> steps) : IProgress<AuditProgress>
    {
        public void Report(AuditProgress value) => steps.TryWrite(value);

        public void Complete() => steps.TryComplete();
    }
}
