using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Groundwork.Communication.Gateway.Access.Callers;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Steps;

namespace Groundwork.Communication.Gateway.Access;

/// <summary>Finds out who calls, asks the lists about him, and tells the service.</summary>
internal sealed class AccessStep(
    ImmutableArray<ICredential> credentials,
    CallerListRule? deny,
    CallerListRule? allow,
    IdentityForm form,
    TimeProvider time) : IRequestStep
{
    private readonly Refusal missing = new(
        new Wire.Fault(Wire.ErrorCodes.CredentialMissing, "The request carries no credential that the route takes."),
        string.Join(", ", credentials.Select(one => one.Challenge).OfType<string>().Distinct()) is { Length: > 0 } all
            ? all
            : "Bearer");

    public Stage Stage => Stage.Access;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<StepResult> RunAsync(Exchange exchange)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;
        CallerIdentity? identity = null;
        foreach (var credential in credentials)
        {
            var (found, refusal) = await credential.VerifyAsync(exchange, now);
            // A credential that is there must be right, even where another would do.
            if (refusal is not null) return Refuse(exchange, refusal);
            if (found is null) continue;
            identity = found;
            break;
        }
        if (identity is null && credentials.Length > 0) return Refuse(exchange, missing);
        identity = identity?.Beside(exchange.Caller);
        if (Ask(identity?.Caller ?? exchange.Caller, identity?.TokenId) is { } listed) return Refuse(exchange, listed);
        if (identity is not null) form.AddTo(exchange, identity, now);
        exchange.Note(Stage.Access, "allowed", identity?.Caller);
        return StepResult.GoOn;
    }

    public static StepResult Refuse(Exchange exchange, Refusal refusal, Stage stage = Stage.Access)
    {
        exchange.Note(stage, "refused", refusal.Fault);
        if (refusal.Challenge is { } challenge) exchange.AnswerFields.Add(new("WWW-Authenticate", challenge));
        return StepResult.Refuse(refusal.Fault);
    }

    private Refusal? Ask(Caller? caller, string? token)
    {
        if (deny is not null)
        {
            if (deny.Current() is not { } denied) return Refusals.ListMissing;
            if (caller is not null)
                foreach (var list in denied)
                    if (list.Names(caller, token)) return Refusals.Listed;
        }
        if (allow is null) return null;
        if (allow.Current() is not { } allowed) return Refusals.ListMissing;
        // Of each sort that a list mentions one entry must name the caller; who is nobody is on no list.
        var (users, keys, tokens) = (Sort.NotAsked, Sort.NotAsked, Sort.NotAsked);
        foreach (var list in allowed)
        {
            Tell(list.Users, caller?.User, ref users);
            Tell(list.Keys, caller?.Key, ref keys);
            Tell(list.Tokens, token, ref tokens);
        }
        return users == Sort.Missing || keys == Sort.Missing || tokens == Sort.Missing ? Refusals.NotListed : null;
    }

    private static void Tell(IReadOnlySet<string>? entries, string? one, ref Sort sort)
    {
        if (entries is null || sort == Sort.Found) return;
        sort = one is not null && entries.Contains(one) ? Sort.Found : Sort.Missing;
    }

    private enum Sort { NotAsked, Missing, Found }
}

/// <summary>Asks the lists about the address, before anything else is looked at.</summary>
internal sealed class AddressStep(CallerListRule? deny, CallerListRule? allow) : IRequestStep
{
    public Stage Stage => Stage.Deny;

    public ValueTask<StepResult> RunAsync(Exchange exchange) =>
        new(Ask(exchange) is { } refusal ? AccessStep.Refuse(exchange, refusal, Stage) : StepResult.GoOn);

    private Refusal? Ask(Exchange exchange)
    {
        var address = exchange.CallerAddress;
        if (deny is not null)
        {
            if (deny.Current() is not { } denied) return Refusals.ListMissing;
            foreach (var list in denied)
            {
                if (list.Clients is null) continue;
                // Who comes from nowhere could be anybody.
                if (address is null || list.Names(address)) return Refusals.Listed;
            }
        }
        if (allow is null) return null;
        if (allow.Current() is not { } allowed) return Refusals.ListMissing;
        var isMentioned = false;
        foreach (var list in allowed)
        {
            if (list is { Clients: null }) continue;
            if (address is not null && list.Names(address)) return null;
            isMentioned = true;
        }
        return isMentioned || IsEmpty(allowed) ? Refusals.NotListed : null;
    }

    // An allow list that mentions nothing allows nobody.
    private static bool IsEmpty(CallerList[] lists)
    {
        foreach (var list in lists)
            if (list is not { Clients: null, Users: null, Keys: null, Tokens: null }) return false;
        return true;
    }
}
