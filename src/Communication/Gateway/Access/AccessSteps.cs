using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Groundwork.Communication.Gateway.Access.Callers;
using Groundwork.Communication.Gateway.Access.Signatures;
using Groundwork.Communication.Gateway.Access.Tokens;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Hosting.Secrets;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry;
using Groundwork.Wire;
using Microsoft.Extensions.Logging;

namespace Groundwork.Communication.Gateway.Access;

/// <summary>
/// Makes the steps that decide who may pass, and keeps what they share: lists, issuers and their keys, and the tokens
/// that were verified.
/// </summary>
internal sealed class AccessSteps : IStepMaker, IDisposable
{
    private readonly TimeProvider time;
    private readonly TokenCache cache = new();
    private readonly ResourceTable<CallerList> lists;
    private readonly SecretTable<TokenIssuer> issuers;
    private readonly SecretTable<SigningKey> signingKeys;
    private readonly SeenNonces nonces;
    private readonly ConditionalWeakTable<Principal, CallerIdentity> holders = []; // Of access keys.
    private readonly HttpClient asked;
    private readonly AccessParts parts;

    public AccessSteps(AccessParts parts)
    {
        this.parts = parts;
        time = parts.Time;
        nonces = new SeenNonces(time);
        asked = Asking.MakeClient(parts.Guard);
        signingKeys = new SecretTable<SigningKey>(
            parts.Snapshots, SigningKey.Table, parts.Open, time, parts.Logger);
        // Without a key of the store this process has one of its own.
        Signer = new IdentitySigner(
            parts.SessionKey.IsEmpty ? RandomNumberGenerator.GetBytes(32) : parts.SessionKey.Span);
        lists = new ResourceTable<CallerList>(parts.Snapshots, AccessListKind.Name, CallerList.Compile);
        var ofIssuers = new SecretKind<TokenIssuer>(
            TokenIssuerKind.Name, (resource, open) => IssuerKeys.Compile(resource, open, parts))
        {
            HasSecret = static resource => resource.As<TokenIssuerSpec>().Secret is not null,
            Left = static issuer => issuer.Dispose(),
        };
        issuers = new SecretTable<TokenIssuer>(parts.Snapshots, ofIssuers, parts.Open, time, parts.Logger);
    }

    public IdentitySigner Signer { get; }

    public TokenFigures Figures { get; } = new();

    public IEnumerable<IRequestStep> Make(StepContext context)
    {
        if (context.Policies.Access is not { } spec) yield break;
        var ns = context.Key.Namespace is { Length: > 0 } own ? own : Names.DefaultNamespace;
        var deny = CallerListRule.Make(spec.Deny, ns, lists);
        var allow = CallerListRule.Make(spec.Allow, ns, lists);
        if (deny is not null || allow is not null) yield return new AddressStep(deny, allow);
        var credentials = new List<ICredential>();
        if (spec.Token is { } token) credentials.Add(new TokenCredential(token, ns, issuers, cache, Figures));
        if (spec.AccessKey is { } key) credentials.Add(new KeyCredential(key, parts.Authenticate, holders));
        if (spec.Signature is { } signature)
            credentials.Add(new SignatureCredential(signature, ns, signingKeys, nonces, time));
        if (spec.Certificate is { } certificate) credentials.Add(new CertificateCredential(certificate));
        yield return new AccessStep(
            [.. credentials], spec.Require == "all", deny, allow,
            spec.Ask is { } ask ? new Asking(ask, ns, asked, parts.Registry, time) : null,
            new IdentityForm(spec.Identity, Signer), time);
    }

    public void Dispose()
    {
        lists.Dispose();
        issuers.Dispose();
        signingKeys.Dispose();
        asked.Dispose();
    }
}

/// <summary>What access needs of the node.</summary>
/// <param name="Authenticate">Who holds an access key, and the address it comes from.</param>
internal sealed record AccessParts(
    ISnapshotSource Snapshots,
    IRegistryView Registry,
    Func<string, string?, Outcome<Principal>> Authenticate,
    AddressGuard Guard,
    ReadOnlyMemory<byte> SessionKey,
    OpenSpec Open,
    TimeProvider Time,
    ILogger Logger);
