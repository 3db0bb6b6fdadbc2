using System.Globalization;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry.Consumers;
using Groundwork.Services.Registry.Explaining;
using Groundwork.Services.Registry.Protocols;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Services.Registry;

/// <summary>The registry's part of the API, but for watching, which is in <see cref="RegistryWatchApi"/>.</summary>
internal sealed class RegistryApi(
    InstanceRegistry registry,
    Registrations registrations,
    InstanceRules rules,
    RegistryAccess access,
    ConsumerBook consumers,
    RefusedClaims refused)
{
    private const string Root = Listeners.ApiRoot + "/registry";
    private const string OnBody = "Register on the instance that the body names";

    public void Map(IEndpointRouteBuilder endpoints)
    {
        var api = endpoints.MapGroup(Root).WithTags("Registry");
        api.MapPut("/instances", RegisterAsync)
            .RequiresPrincipal(OnBody).LimitsBody(RegistryLimits.MaxRegistrationBytes)
            .Describe<RegistrationAnswer>(
                "registerInstance", "Registers an instance, or replaces what is registered by its id.");
        api.MapPut("/renewals", Renew)
            .RequiresPrincipal("Renew on every instance of the batch; the others are refused one by one")
            .LimitsBody(RegistryLimits.MaxBatchBytes)
            .Describe<RenewalAnswer>("renewInstances", "Extends the leases of up to a thousand instances.");
        api.MapDelete("/instances/{namespace}/{service}/{id}", DeregisterAsync)
            .Requires(Verb.Register, InstanceTarget)
            .ReadsQuery("group").ReadsReason()
            .WithName("deregisterInstance").WithSummary("Takes an instance out; one that is gone already is no fault.")
            .Produces(StatusCodes.Status204NoContent);
        api.MapPost("/instances/{namespace}/{service}/{id}/drain", DrainAsync)
            .RequiresPrincipal("Operate or Register on the instance")
            .ReadsQuery("group").ReadsReason()
            .Describe<ServiceDocument>(
                "drainInstance", "Sends no new traffic to an instance; with wait, answers when watchers have seen it.");
        api.MapGet("/services", ListServices).RequiresPrincipal("shows the services that it may discover")
            .Describe<ServiceList>("listServices", "A page of services with their counts.");
        api.MapPost("/outcomes", ReportOutcomes)
            .RequiresPrincipal("Discover on the service of every outcome; Renew on the instance that it says it is")
            .LimitsBody(RegistryLimits.MaxBatchBytes)
            .WithName("reportOutcomes").WithSummary("Tells how calls to instances went, as followers and SDKs saw it.")
            .Produces(StatusCodes.Status204NoContent);
    }

    /// <summary>The target of a permission on the instance that the path names.</summary>
    private static ResourceKey InstanceTarget(HttpContext context) =>
        RegistryAccess.Target(RegistryPaths.Instance(context));

    private async Task<IResult> RegisterAsync(
        InstanceDocument document, HttpContext context, CancellationToken cancellationToken)
    {
        var principal = context.Principal().Name;
        if (!rules.Read(document, RegisteredBy(context, principal), RequestAddress.Of(context))
            .TryGet(out var wanted, out var fault)) return Problems.From(fault);
        fault = access.Check(context, Verb.Register, RegistryAccess.Target(wanted.Key));
        if (fault is null)
        {
            var outcome = await registrations.RegisterAsync(wanted, principal, cancellationToken);
            if (outcome.TryGet(out var answer, out fault)) return TypedResults.Ok(answer);
        }
        refused.Note(wanted.Key, "registration", fault.Error, principal);
        return Problems.From(fault);
    }

    private IResult Renew(RenewalBatch batch, HttpContext context)
    {
        var fault = CheckCount("renewals", batch.Renewals.Count, RegistryLimits.MaxRenewalsPerBatch)
            ?? RegistryPaths.FindNull("renewals", batch.Renewals);
        if (fault is not null)
            return Problems.From(fault);
        var principal = context.Principal();
        var refusals = new List<RenewalRefusal>();
        foreach (var renewal in batch.Renewals)
        {
            var key = new InstanceKey(
                RegistryPaths.Service(renewal.Namespace, renewal.Group, renewal.Service), renewal.Id);
            var code = access.Allows(principal, Verb.Renew, RegistryAccess.Target(key))
                ? registry.Renew(key, renewal.Incarnation)
                : ErrorCodes.Forbidden;
            if (code is null) continue;
            refusals.Add(new RenewalRefusal(renewal.Service, renewal.Id, code.Code));
            // Not found is no refusal of the instance: it is asked to register, and does.
            if (code != ErrorCodes.InstanceNotFound) refused.Note(key, "renewal", code, principal.Name);
        }
        return TypedResults.Ok(new RenewalAnswer(batch.Renewals.Count - refusals.Count, refusals));
    }

    private async Task<IResult> DeregisterAsync(
        HttpContext context, long? incarnation, CancellationToken cancellationToken)
    {
        if (!RegistryPaths.TryReadReason(context, out var why, out var fault)) return Problems.From(fault);
        fault = await registrations.DeregisterAsync(
            RegistryPaths.Instance(context), incarnation, context.Principal().Name, why, cancellationToken);
        return fault is null ? TypedResults.NoContent() : Problems.From(fault);
    }

    private async Task<IResult> DrainAsync(HttpContext context, string? wait, CancellationToken cancellationToken)
    {
        if (!RegistryPaths.TryReadWait(wait, TimeSpan.Zero, out var patience))
            return Problems.From(RegistryPaths.BadWait(wait));
        if (patience > registry.Options.DrainPatience) patience = registry.Options.DrainPatience;
        if (!RegistryPaths.TryReadReason(context, out var why, out var fault)) return Problems.From(fault);
        var key = RegistryPaths.Instance(context);
        var target = RegistryAccess.Target(key);
        if (!access.Allows(context.Principal(), Verb.Register, target)
            && access.Check(context, Verb.Operate, target) is { } refusal) return Problems.From(refusal);
        var outcome = await registrations.DrainAsync(
            key, context.Principal().Name, why, patience.Value, cancellationToken);
        if (!outcome.TryGet(out var view, out fault)) return Problems.From(fault);
        context.Response.Headers[HeaderNames.Index] = view.Index.ToString(CultureInfo.InvariantCulture);
        return TypedResults.Ok(InstanceDocuments.Write(view, registry.StoreId, registry.ExpiresAt));
    }

    private IResult ListServices(HttpContext context, string? @namespace, int? limit, string? page)
    {
        if (CheckLimit(limit) is { } outside) return Problems.From(outside);
        if (RegistryPaths.FindMisnamed(@namespace) is { } misnamed) return Problems.From(misnamed);
        if (!RegistryPaths.TryReadPage(page, out var after))
            return Problems.From(
                new Fault(ErrorCodes.BadPageToken, "The page token is not one that a list has given."));
        var size = limit ?? RegistryLimits.DefaultPageSize;
        var principal = context.Principal();
        // One more than asked for tells whether there is another page.
        var found = registry.Services
            .Where(service => (@namespace is null || service.Key.Namespace == @namespace)
                && service.View is not null
                && (after is null || RegistryPaths.Compare(service.Key, after.Value) > 0)
                && access.Allows(principal, Verb.Discover, RegistryAccess.Target(service.Key)))
            .OrderBy(service => service.Key, RegistryPaths.Order)
            .Take(size + 1)
            .Select(service => service.View!) // Not null, as filtered; a view is never taken back.
            .ToArray();
        var items = found.Take(size).Select(InstanceDocuments.Summarize).ToArray();
        var next = found.Length > size ? RegistryPaths.WritePage(found[size - 1].Key) : null;
        return TypedResults.Ok(new ServiceList(registry.StoreId, registry.Numbers.Last, items, next));
    }

    private IResult ReportOutcomes(OutcomeBatch batch, HttpContext context)
    {
        if (OutcomeRules.Check(batch) is { } fault) return Problems.From(fault);
        var principal = context.Principal();
        // Answers last: a batch does not say in which order calls ended, and one answer proves the instance alive.
        foreach (var report in batch.Outcomes.OrderBy(
            report => InstanceWords.Outcome(report.Outcome) == CallOutcome.Answered))
        {
            var service = RegistryPaths.Service(report.Namespace, report.Group, report.Service);
            if (!access.Allows(principal, Verb.Discover, RegistryAccess.Target(service))) continue;
            registry.ReportOutcome(
                new InstanceKey(service, report.Id), InstanceWords.Outcome(report.Outcome) ?? default, report.Count);
        }
        if (access.CallerOf(principal, batch.Caller) is { } caller) NoteConsumer(batch, caller.ToString(), principal);
        return TypedResults.NoContent();
    }

    private void NoteConsumer(OutcomeBatch batch, string caller, Principal principal)
    {
        var breakers = (batch.Breakers ?? [])
            .ToLookup(breaker => RegistryPaths.Service(breaker.Namespace, breaker.Group, breaker.Service));
        var called = batch.Outcomes
            .Select(report => RegistryPaths.Service(report.Namespace, report.Group, report.Service))
            .Concat(breakers.Select(group => group.Key)).Distinct();
        foreach (var service in called)
        {
            if (RegistryPaths.FindMisnamed(service.Namespace, service) is not null) continue;
            if (access.Allows(principal, Verb.Discover, RegistryAccess.Target(service)))
                consumers.Note(new ConsumerLink(service, caller, ConsumerBook.Sdk), [.. breakers[service]]);
        }
    }

    private static Fault? CheckLimit(int? limit) => limit is < 1 or > RegistryLimits.MaxPageSize
        ? new Fault(ErrorCodes.BadRequest, $"'limit' is 1 to {RegistryLimits.MaxPageSize}, not {limit}.")
        : null;

    private static Fault? CheckCount(string what, int count, int most) => count >= 1 && count <= most
        ? null
        : new Fault(ErrorCodes.BadRequest, $"A batch has 1 to {most} {what}, not {count}.");

    private static string RegisteredBy(HttpContext context, string principal) =>
        ProtocolCalls.Describe(Registrar.Own, context.Request.Headers.UserAgent.ToString(), principal);
}
