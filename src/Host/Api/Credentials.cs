using Groundwork.Host.CommandLine;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Host.Api;

/// <summary>What a request carries to say who asks.</summary>
internal interface ICredential
{
    /// <summary>The bearer token, or null for none.</summary>
    Task<string?> TokenAsync(ApiConnection connection, CancellationToken cancellationToken);
}

/// <summary>None: the local socket tells the node who we are.</summary>
internal sealed class NoCredential : ICredential
{
    public Task<string?> TokenAsync(ApiConnection connection, CancellationToken cancellationToken) =>
        Task.FromResult<string?>(null);
}

internal sealed class AccessKey(string key) : ICredential
{
    public Task<string?> TokenAsync(ApiConnection connection, CancellationToken cancellationToken) =>
        Task.FromResult<string?>(key);
}

/// <summary>A sign-in that <c>login</c> has kept; renewed shortly before it runs out.</summary>
internal sealed class KeptSignIn(SignInFile file, string server) : ICredential
{
    public async Task<string?> TokenAsync(ApiConnection connection, CancellationToken cancellationToken)
    {
        if (file.Find(server) is not { } kept)
        {
            throw new VerbFailure(ExitCodes.Refused, $"not signed in to {server}")
            {
                Details = [$"set {ApiTarget.AccessKeyVariable}, or run 'groundwork login --server {server}'"],
            };
        }
        if (file.IsFresh(kept)) return kept.AccessToken;
        // A refresh token is good for one use: two of us must not use the same one.
        using var turn = await file.TakeTurnAsync(cancellationToken);
        kept = file.Find(server) ?? kept;
        if (file.IsFresh(kept)) return kept.AccessToken;
        var renewed = await RenewAsync(connection, kept, cancellationToken);
        file.Keep(server, renewed);
        return renewed.AccessToken;
    }

    private async Task<SignInAnswer> RenewAsync(
        ApiConnection connection, SignIn kept, CancellationToken cancellationToken)
    {
        var request = ApiRequest.Post(
            "sign-in/refresh", new RefreshRequest(kept.RefreshToken), WireJson.Strict.RefreshRequest);
        try
        {
            var answer = await connection.SendAsync(request with { Anonymous = true }, cancellationToken);
            return answer.Read(WireJson.Lenient.SignInAnswer);
        }
        catch (VerbFailure failure) when (failure.ExitCode == ExitCodes.Refused)
        {
            file.Forget(server);
            throw new VerbFailure(ExitCodes.Refused, $"the sign-in to {server} has ended")
            {
                Details = [$"run 'groundwork login --server {server}' again"],
            };
        }
    }
}
