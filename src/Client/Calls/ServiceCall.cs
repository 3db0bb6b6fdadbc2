using System.Globalization;
using System.Net;
using Groundwork.Client.Discovery;
using Groundwork.Wire;
using Tried = Polly.Outcome<System.Net.Http.HttpResponseMessage>;

namespace Groundwork.Client.Calls;

/// <summary>Why a try is made.</summary>
internal enum TryReason
{
    First,
    Retry,
    Hedge,
}

/// <summary>
/// One call of a service through all its tries: what was asked, what is left of its time, and whether it may be tried
/// again. The tries of a hedged call run beside each other, so what they share is guarded.
/// </summary>
internal sealed class ServiceCall
{
    private readonly GroundworkOptions options;
    private readonly ClientMeters meters;
    private readonly InstanceWish wish;
    private readonly IncomingCall? incoming;
    private readonly bool mayRepeatUnsafe;

    // Guarded by this object's own lock while tries run beside each other.
    private readonly Lock gate = new();
    private ServiceTarget? last;
    private List<ServiceTarget>? earlier;
    private TryReason next = TryReason.First;
    private int tries;

    public ServiceCall(
        GroundworkOptions options, ClientMeters meters, HttpRequestMessage request, Uri asked, ServiceEntry service,
        CallPlan plan, bool mayRepeatUnsafe)
    {
        this.options = options;
        this.meters = meters;
        this.mayRepeatUnsafe = mayRepeatUnsafe;
        Request = request;
        Asked = asked;
        Service = service;
        Plan = plan;
        Began = options.Time.GetTimestamp();
        incoming = IncomingCall.Current;
        IsSafe = request.Content is null && IsSafeMethod(request.Method);
        SetDeadline(plan.Policy.TotalTimeout);
        var choice = plan.Policy.Choice;
        wish = new InstanceWish(choice, asked.Scheme, IsSafe)
        {
            Key = choice.Choice == InstanceChoice.ConsistentHash ? KeyOf(request, choice) : null,
            Version = request.Options.TryGetValue(GroundworkRequest.Version, out var wanted) ? wanted : choice.Version,
        };
    }

    public HttpRequestMessage Request { get; }

    public Uri Asked { get; }

    public ServiceEntry Service { get; }

    public CallPlan Plan { get; }

    /// <summary>Timestamp.</summary>
    public long Began { get; }

    /// <summary>True when it can be made any number of times: a safe method, and no body that would be gone.</summary>
    public bool IsSafe { get; }

    /// <summary>Timestamp after which nobody waits for the answer; null: none is known.</summary>
    public long? Deadline { get; private set; }

    /// <summary>True when it is our caller who does not wait longer, and not the policy.</summary>
    public bool IsDeadlineInherited { get; private set; }

    /// <summary>Before the next try.</summary>
    public TimeSpan Pause { get; private set; }

    /// <summary>The outcome of a first try that was made outside the steps; they begin with it.</summary>
    public Tried? First { get; set; }

    /// <summary>What is left until the deadline; null when there is none. Not positive when it has passed.</summary>
    public TimeSpan? Left => Deadline is { } deadline
        ? options.Time.GetElapsedTime(options.Time.GetTimestamp(), deadline)
        : null;

    /// <summary>
    /// A place for the next try, at an instance that was not tried yet where there is one; null when there is none.
    /// </summary>
    public CallPlace? Take(out int number, out TryReason reason)
    {
        lock (gate)
        {
            number = ++tries;
            reason = number == 1 ? TryReason.First : next;
            next = TryReason.Hedge;
            if (Service.List is not { } list) return null; // A list is only ever replaced.
            var place = number == 1 ? list.Take(wish) : list.Take(Wanted(list));
            if (place is null) return null;
            if (last is not null) (earlier ??= []).Add(last);
            last = place.Target;
            return place;
        }
    }

    /// <summary>The number that the callee is told: tries before us count, too.</summary>
    public int NumberFor(int number) => number + (incoming?.Attempt ?? 1) - 1;

    /// <summary>
    /// True when this outcome of a try may be followed by another: nothing was answered, or a status that the policy
    /// names, and the callee cannot have acted, or may act again.
    /// </summary>
    public bool IsRepeatable(Tried outcome)
    {
        if (outcome.Exception is CallFailedException fault)
        {
            if (fault.Error == ErrorCodes.UpstreamConnect) return true;
            return fault.Sent && MayRepeat && !(IsTriedAbove && fault.Error == ErrorCodes.UpstreamTimeout);
        }
        return outcome.Result is { } answer && MayRepeat && Plan.Policy.Retry.Statuses.Contains((int)answer.StatusCode)
            && !(IsTriedAbove && IsOverload(answer.StatusCode));
    }

    /// <summary>Decides on a retry, and takes it from the budget.</summary>
    /// <param name="outcome">Of the try before it.</param>
    /// <param name="before">Retries that were made.</param>
    public bool TakesRetry(Tried outcome, int before)
    {
        var retry = Plan.Policy.Retry;
        if (before >= retry.Max || !IsRepeatable(outcome)) return false;
        var pause = PauseAfter(before, retry);
        if (outcome.Result?.Headers.RetryAfter?.Delta is { } wanted && wanted > pause) pause = wanted;
        if (pause > retry.MaxDelay || Left <= pause || !HasAnother(pause)) return false;
        // Where no connection was made nobody has had any work from it, so that it takes nothing from the budget.
        var isFree = outcome.Exception is CallFailedException { Sent: false };
        if (!isFree && !TakeFromBudget()) return false;
        lock (gate)
        {
            Pause = pause;
            next = TryReason.Retry;
        }
        meters.Retries.Add(1, ClientMeters.Service(Service.Name));
        return true;
    }

    /// <summary>Decides on a try beside those that run, and takes it from the budget.</summary>
    public bool TakesHedge()
    {
        if (IsTriedAbove || Left <= TimeSpan.Zero || !HasAnother(TimeSpan.Zero) || !TakeFromBudget()) return false;
        meters.Hedges.Add(1, ClientMeters.Service(Service.Name));
        return true;
    }

    /// <summary>Methods that ask and change nothing (RFC 9110 §9.2.1).</summary>
    public static bool IsSafeMethod(HttpMethod method) =>
        method == HttpMethod.Get || method == HttpMethod.Head
        || method == HttpMethod.Options || method == HttpMethod.Trace;

    private bool MayRepeat => IsSafe || mayRepeatUnsafe;

    // Somebody before us has tried again already: what is overloaded must not be asked even more often.
    private bool IsTriedAbove => incoming is { Attempt: > 1 };

    private static bool IsOverload(HttpStatusCode status) =>
        status is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable;

    private void SetDeadline(TimeSpan? total)
    {
        if (total is { } length)
            Deadline = Began + (long)(length.TotalSeconds * options.Time.TimestampFrequency);
        if (incoming?.Deadline is not { } inherited || Deadline <= inherited) return;
        Deadline = inherited;
        IsDeadlineInherited = true;
    }

    private bool TakeFromBudget()
    {
        if (Plan.Budget.TryTake()) return true;
        meters.Refusals.Add(1, ClientMeters.Service(Service.Name), ClientMeters.Reason("retry-budget"));
        return false;
    }

    // The same instance again only after a pause: at once it would fail again.
    private bool HasAnother(TimeSpan pause)
    {
        if (pause > TimeSpan.Zero) return true;
        lock (gate) return Service.List is { } list && list.Choose(Wanted(list), out _) is not null;
    }

    // Those not tried before; else all but the last; else, after a pause, the last.
    private InstanceWish Wanted(CallableList list)
    {
        var wanted = wish with { Last = last, Earlier = earlier };
        if (list.Choose(wanted, out _) is not null) return wanted;
        wanted = wanted with { Earlier = null };
        return Pause > TimeSpan.Zero && list.Choose(wanted, out _) is null ? wish : wanted;
    }

    private static TimeSpan PauseAfter(int before, RetryPolicy retry)
    {
        if (retry.Delay == TimeSpan.Zero) return TimeSpan.Zero;
        var factor = retry.Backoff switch
        {
            RetryBackoff.Linear => before + 1,
            RetryBackoff.Exponential => Math.Pow(2, before),
            _ => 1,
        };
        // Half of it is drawn, so that callers that failed together do not come back together.
        if (retry.Jitter) factor *= 0.5 + (Random.Shared.NextDouble() / 2);
        return TimeSpan.FromTicks(Math.Min((long)(retry.Delay.Ticks * factor), retry.MaxDelay.Ticks));
    }

    private static ulong? KeyOf(HttpRequestMessage request, ChoicePolicy choice)
    {
        if (request.Options.TryGetValue(GroundworkRequest.HashKey, out var key)) return StableHash.Of(key);
        return choice.HashHeader is { } header && request.Headers.NonValidated.TryGetValues(header, out var values)
            ? StableHash.Of(values.ToString())
            : null;
    }
}
