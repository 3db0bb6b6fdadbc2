using Groundwork.Wire;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Kernel.Security;

/// <summary>
/// The caller of an answer that lasts, such as a watch: asked anew while it goes on, because keys and sign-ins are
/// revoked, operators disabled and roles changed meanwhile. Used by one loop.
/// </summary>
public sealed class LastingCaller
{
    /// <summary>
    /// A credential that ends by itself is noticed after at most this; one that is revoked here with the next question.
    /// </summary>
    public static readonly TimeSpan AskEvery = TimeSpan.FromSeconds(15);

    private readonly Func<Principal, ValueTask<Outcome<Principal>>> ask;
    private readonly Authorizer authorizer;
    private readonly TimeProvider time;
    private Principal principal;
    private long generation;
    private long askedAt;

    private LastingCaller(
        Principal principal, Func<Principal, ValueTask<Outcome<Principal>>> ask, Authorizer authorizer,
        TimeProvider time)
    {
        this.principal = principal;
        this.ask = ask;
        this.authorizer = authorizer;
        this.time = time;
        // Not the present generation: between the call's check and this something may have changed.
        generation = -1;
        askedAt = time.GetTimestamp();
    }

    /// <summary>Grows when what the caller may see can have changed.</summary>
    public long Generation => generation;

    /// <summary>The caller of a request, by the credential that it came with.</summary>
    public static LastingCaller Of(HttpContext context, Authorizer authorizer, TimeProvider time)
    {
        var known = context.Features.Get<Principal>() ?? Principal.Anonymous;
        // A password costs a tenth of a second to verify, so that one is only asked whether its operator still stands.
        var hasPassword = context.Request.Headers.Authorization.ToString()
            .StartsWith("Basic ", StringComparison.OrdinalIgnoreCase);
        return context.Features.Get<CallerCheck>() is { } check && !hasPassword
            ? new LastingCaller(known, _ => check.Authenticate(context), authorizer, time)
            : Of(known, authorizer, time);
    }

    /// <summary>A caller inside the process, or one whose credential is not looked at again.</summary>
    public static LastingCaller Of(Principal principal, Authorizer authorizer, TimeProvider time) => new(
        principal,
        known => ValueTask.FromResult<Outcome<Principal>>(
            authorizer.Refresh(known, time.GetUtcNow()) is { } now ? now : Ended),
        authorizer,
        time);

    /// <summary>
    /// The caller with the roles it holds now, or <c>unauthenticated</c> when its credential has ended.
    /// </summary>
    public async ValueTask<Outcome<Principal>> AskAsync()
    {
        var current = authorizer.Generation;
        if (current == generation && time.GetElapsedTime(askedAt) < AskEvery) return principal;
        var asked = await ask(principal);
        if (!asked.TryGet(out var now, out var fault))
            return fault.Error.Status == StatusCodes.Status401Unauthorized ? Ended : fault;
        (principal, generation, askedAt) = (now, current, time.GetTimestamp());
        return now;
    }

    private static Fault Ended { get; } = new(
        ErrorCodes.Unauthenticated, "The credential that this stream was opened with has ended; open it anew.");
}

/// <summary>How the listener found out who calls; a feature of requests that passed.</summary>
internal sealed record CallerCheck(Func<HttpContext, ValueTask<Outcome<Principal>>> Authenticate);
