using Groundwork.Host.CommandLine;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Host.Api;

/// <summary>A link that opens the console signed in. Its secret is in the fragment, which no browser sends.</summary>
internal static class ConsoleLink
{
    public static async Task<SignInLinkAnswer> CreateAsync(
        ApiConnection connection, string person, CancellationToken cancellationToken)
    {
        var answer = await connection.SendAsync(
            ApiRequest.Post("sign-in/links", new SignInLinkRequest(person), WireJson.Strict.SignInLinkRequest),
            cancellationToken);
        return answer.Read(WireJson.Lenient.SignInLinkAnswer);
    }

    /// <param name="api">The address of the API's listener; null when the node has none.</param>
    public static string Address(string? api, SignInLinkAnswer link) => api is null
        ? throw new VerbFailure(ExitCodes.Refused, "the node has no API listener that a browser could reach")
        : $"{api.TrimEnd('/')}/console/#link={link.Secret}";
}
