using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Collections.Immutable;
using Groundwork.Client.Settings;
using Groundwork.Wire.Contracts;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;

namespace Groundwork.Client.Calls;

/// <summary>
/// How each service is called now: the policies of the configuration, followed live. A set of policies with a fault is
/// refused whole, and the one before it stays in force. Thread-safe.
/// </summary>
internal sealed partial class CallPlans(GroundworkOptions options, ClientMeters meters, ILogger log)
    : ISettingsCheck, IDisposable
{
    private readonly Lock building = new(); // Guards every change of the plans.
    private readonly ConcurrentDictionary<string, ServicePlans> plans = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentQueue<BreakerDocument> retired = new();
    private CallPolicySet policies = CallPolicySet.Usual;
    private ImmutableSortedDictionary<string, string> keys = ImmutableSortedDictionary<string, string>.Empty;
    private IDisposable? following;

    /// <summary>
    /// What is wrong with the newest policies, so that older ones are in force; null when nothing is.
    /// </summary>
    public string? Fault { get; private set; }

    /// <summary>Breakers of the services that were called.</summary>
    public IEnumerable<CallBreaker> Breakers => plans.Values.SelectMany(service => service.Breakers.Values);

    /// <summary>Reads the policies, and again whenever the configuration changes.</summary>
    public void Follow(IConfiguration configuration, SettingsProvider settings)
    {
        void Read()
        {
            // Of one publication, so that no policy is made of two.
            using var pin = settings.PinCurrent();
            Take(configuration);
        }

        following = ChangeToken.OnChange(configuration.GetReloadToken, Read);
        Read();
    }

    public string? Check(IConfiguration candidate)
    {
        CallPolicySet.Read(CallPolicySet.Keys(candidate), out var faults);
        return faults.IsEmpty ? null : string.Join(' ', faults);
    }

    /// <summary>Takes the policies over, or keeps those before when there is anything wrong.</summary>
    public void Take(IConfiguration configuration)
    {
        lock (building)
        {
            var next = CallPolicySet.Keys(configuration);
            if (next.Count == keys.Count && next.SequenceEqual(keys)) return;
            keys = next;
            var read = CallPolicySet.Read(next, out var faults);
            Fault = faults.IsEmpty ? null : string.Join(' ', faults);
            if (Fault is { } fault)
            {
                meters.ReloadFaults.Add(1);
                LogRefused(fault);
                return;
            }
            policies = read;
            foreach (var (service, before) in plans) plans[service] = Build(service, before);
            LogTaken(next.Count);
        }
    }

    /// <summary>How this request is to be made.</summary>
    public CallPlan Find(string service, HttpRequestMessage request)
    {
        if (!plans.TryGetValue(service, out var found))
        {
            lock (building) found = plans.GetOrAdd(service, name => Build(name, null));
        }
        return found.Find(request);
    }

    /// <summary>Breakers that are not closed, and those that have closed since this was last asked.</summary>
    public List<BreakerDocument> TakeBreakerReport()
    {
        var report = new List<BreakerDocument>();
        while (retired.TryDequeue(out var gone)) report.Add(gone);
        foreach (var breaker in Breakers)
            if (breaker.TakeReport(options) is { } document) report.Add(document);
        return report;
    }

    public void Dispose() => following?.Dispose();

    // What the calls have taught stays where the policy of it is the same: a change of a time-out closes no breaker.
    private ServicePlans Build(string service, ServicePlans? before)
    {
        var policy = policies.Find(service);
        var budget = before?.Budget.Policy == policy.All.Budget
            ? before.Budget
            : new RetryBudget(policy.All.Budget, options.Time);
        var breakers = new Dictionary<string, CallBreaker>(StringComparer.OrdinalIgnoreCase);
        var bulkheads = new Dictionary<string, CallBulkhead>(StringComparer.OrdinalIgnoreCase);

        CallPlan Plan(CallPolicy one) => new(one, budget, Breaker(one.Breaker), Bulkhead(one.Bulkhead), options.Time);

        CallBreaker? Breaker(BreakerPolicy? wanted)
        {
            if (wanted is null) return null;
            var name = wanted.Method ?? "";
            if (breakers.TryGetValue(name, out var made)) return made;
            return breakers[name] = before?.Breakers.GetValueOrDefault(name) is { } kept && kept.Policy == wanted
                ? kept
                : new CallBreaker(service, wanted, options.Time, meters, log);
        }

        CallBulkhead? Bulkhead(BulkheadPolicy? wanted)
        {
            if (wanted is null) return null;
            var name = wanted.Method ?? "";
            if (bulkheads.TryGetValue(name, out var made)) return made;
            return bulkheads[name] = before?.Bulkheads.GetValueOrDefault(name) is { } kept && kept.Policy == wanted
                ? kept
                : new CallBulkhead(wanted);
        }

        var built = new ServicePlans(
            Plan(policy.All),
            policy.Typed.ToFrozenDictionary(
                one => one.Key, one => Plan(one.Value), StringComparer.OrdinalIgnoreCase),
            [.. policy.Patterns.Select(one => (one.Pattern, Plan(one.Policy)))],
            budget, breakers, bulkheads);
        foreach (var (name, gone) in before?.Breakers ?? [])
            if (breakers.GetValueOrDefault(name) != gone && gone.TakeLastReport(options) is { } last)
                retired.Enqueue(last);
        return built;
    }

    /// <summary>The plans of one service, and what they share.</summary>
    private sealed record ServicePlans(
        CallPlan All,
        FrozenDictionary<string, CallPlan> Typed,
        ImmutableArray<(MethodPattern Pattern, CallPlan Plan)> Patterns,
        RetryBudget Budget,
        Dictionary<string, CallBreaker> Breakers,
        Dictionary<string, CallBulkhead> Bulkheads)
    {
        public CallPlan Find(HttpRequestMessage request)
        {
            if (Typed.Count > 0 && request.Options.TryGetValue(GroundworkRequest.Method, out var method)
                && Typed.TryGetValue(method, out var typed)) return typed;
            if (Patterns.IsEmpty || request.RequestUri is not { } asked) return All;
            var path = asked.AbsolutePath;
            foreach (var (pattern, plan) in Patterns)
                if (pattern.Matches(request.Method.Method, path)) return plan;
            return All;
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The policies of calls have changed, {Keys} keys")]
    private partial void LogTaken(int keys);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The policies of calls have faults; the last good ones stay in force. {Fault}")]
    private partial void LogRefused(string fault);
}
