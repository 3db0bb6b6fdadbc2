using System.Globalization;
using System.Net;
using Groundwork.Client.Discovery;
using Groundwork.Wire;
using Polly;
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
    /// <summary>A deadline that never comes: nobody has set one.</summary>
    private const long Never = long.MaxValue;

    private readonly GroundworkOptions options;
    private readonly ClientMeters meters;
    private readonly IncomingCall? incoming;
    private readonly ulong key;
    private readonly bool hasKey;
    private readonly bool mayRepeatUnsafe;

    // Guards what follows where tries run beside each other; null where they come one after the other.
    private readonly Lock? gate;
    private ServiceTarget? last;
    private List<ServiceTarget>? earlier;
    private TryReason next = TryReason.First;
    private int tries;

    // The outcome of a first try that was made outside the steps: they begin with it.
    private Exception? firstFault;
    private HttpResponseMessage? firstAnswer;

    // 1 when a try has not connected, and nothing was made in its place.
    private int unconnected;

    private long deadline = Never;

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
        if (choice.Choice == InstanceChoice.ConsistentHash) hasKey = FindKey(request, choice, out key);
        Version = request.Options.TryGetValue(GroundworkRequest.Version, out var wanted) ? wanted : choice.Version;
        if (IsHedged) gate = new Lock();
    }

    public HttpRequestMessage Request { get; }

    public Uri Asked { get; }

    public ServiceEntry Service { get; }

    public CallPlan Plan { get; }

    /// <summary>Timestamp.</summary>
    public long Began { get; }

    /// <summary>The version of the service that is wanted; null: any.</summary>
    public string? Version { get; }

    /// <summary>True when it can be made any number of times: a safe method, and no body that would be gone.</summary>
    public bool IsSafe { get; }

    /// <summary>True when tries may run beside each other.</summary>
    public bool IsHedged => IsSafe && Plan.Policy.Hedge is not null && !IsTriedAbove;

    /// <summary>True when nothing stands between the call and its first try, which then needs none of the steps.
    /// </summary>
    public bool StartsPlain => Plan.Breaker is null && Plan.Bulkhead is null && !IsHedged;

    /// <summary>True when it is our caller who does not wait longer, and not the policy.</summary>
    public bool IsDeadlineInherited { get; private set; }

    /// <summary>Before the next try.</summary>
    public TimeSpan Pause { get; private set; }

    /// <summary>
    /// Somebody before us has tried again already: what is overloaded must not be asked even more often.
    /// </summary>
    public bool IsTriedAbove => incoming is { Attempt: > 1 };

    /// <summary>What is left until the deadline; null when there is none. Not positive when it has passed.</summary>
    public TimeSpan? Left => deadline == Never
        ? null
        : options.Time.GetElapsedTime(options.Time.GetTimestamp(), deadline);

    /// <summary>
    /// True when a first try that was made outside the steps has failed, and they go on with it.
    /// </summary>
    public bool GoesOnAfter(Tried outcome)
    {
        if (!StartsPlain || Plan.Policy.Retry.Max == 0 || !IsRepeatable(outcome)) return false;
        firstFault = outcome.Exception;
        firstAnswer = outcome.Result;
        return true;
    }

    /// <summary>The outcome of the try that was made before, once.</summary>
    public bool TakeFirst(out Tried first)
    {
        first = firstAnswer is not null ? Outcome.FromResult(firstAnswer)
            : firstFault is not null ? Outcome.FromException<HttpResponseMessage>(firstFault)
            : default;
        var has = firstAnswer is not null || firstFault is not null;
        firstAnswer = null;
        firstFault = null;
        return has;
    }

    /// <summary>
    /// A place for the next try, at an instance that was not tried yet where there is one; null when there is none.
    /// </summary>
    public CallPlace? Take(out int number, out TryReason reason)
    {
        gate?.Enter();
        try
        {
            number = ++tries;
            reason = number == 1 ? TryReason.First : next;
            next = TryReason.Hedge;
            if (Service.List is not { } list) return null; // A list is only ever replaced.
            var place = number == 1 ? list.Take(Wish) : list.Take(Wanted(list));
            if (place is null) return null;
            if (last is not null) (earlier ??= []).Add(last);
            last = place.Target;
            return place;
        }
        finally
        {
            gate?.Exit();
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
            if (fault.Error == ErrorCodes.UpstreamConnect)
            {
                Interlocked.Exchange(ref unconnected, 1);
                return true;
            }
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
        Pause = pause;
        next = TryReason.Retry;
        meters.Retries.Add(1, ClientMeters.Service(Service.Name));
        return true;
    }

    /// <summary>Decides on a try beside those that run, and takes it from the budget.</summary>
    public bool TakesHedge()
    {
        if (Left <= TimeSpan.Zero || !HasAnother(TimeSpan.Zero)) return false;
        // As a retry: in place of a try that did not even connect it takes nothing.
        if (Interlocked.Exchange(ref unconnected, 0) == 0 && !TakeFromBudget()) return false;
        meters.Hedges.Add(1, ClientMeters.Service(Service.Name));
        return true;
    }

    /// <summary>Methods that ask and change nothing (RFC 9110 §9.2.1).</summary>
    public static bool IsSafeMethod(HttpMethod method) =>
        method == HttpMethod.Get || method == HttpMethod.Head
        || method == HttpMethod.Options || method == HttpMethod.Trace;

    private bool MayRepeat => IsSafe || mayRepeatUnsafe;

    private static bool IsOverload(HttpStatusCode status) =>
        status is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable;

    private void SetDeadline(TimeSpan? total)
    {
        if (total is { } length)
            deadline = Began + (long)(length.TotalSeconds * options.Time.TimestampFrequency);
        if (incoming?.Deadline is not { } inherited || deadline <= inherited) return;
        deadline = inherited;
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
        gate?.Enter();
        try
        {
            return Service.List is { } list && list.Choose(Wanted(list), out _) is not null;
        }
        finally
        {
            gate?.Exit();
        }
    }

    // Those not tried before; else all but the last; else, after a pause, the last.
    private InstanceWish Wanted(CallableList list)
    {
        var wanted = Wish with { Last = last, Earlier = earlier };
        if (list.Choose(wanted, out _) is not null) return wanted;
        wanted = wanted with { Earlier = null };
        return Pause > TimeSpan.Zero && list.Choose(wanted, out _) is null ? Wish : wanted;
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

    private InstanceWish Wish => new(Plan.Policy.Choice, Asked.Scheme, IsSafe)
    {
        Key = hasKey ? key : null,
        Version = Version,
    };

    private static bool FindKey(HttpRequestMessage request, ChoicePolicy choice, out ulong key)
    {
        key = 0;
        if (request.Options.TryGetValue(GroundworkRequest.HashKey, out var given)) key = StableHash.Of(given);
        else if (choice.HashHeader is { } header && request.Headers.NonValidated.TryGetValues(header, out var values))
            key = StableHash.Of(values.ToString());
        else return false;
        return true;
    }
}
