using System.CommandLine;
using System.Text.Json.Nodes;
using Groundwork.Host.CommandLine;
using Groundwork.Kernel.Security;
using Verb = Groundwork.Host.CommandLine.Verb;

namespace Groundwork.Host.Verbs;

/// <summary><c>operator hash</c>: what a resource of kind operator holds instead of its password.</summary>
internal static class OperatorVerbs
{
    public static Command Create() =>
        new Verb("operator", "Prepare what operators are made of.", "operator hash", run: null)
        {
            new Verb("hash", "Hash a password for an operator; it is asked for, or read from stdin.",
                "operator hash < password", Hash),
        };

    private static Task<int> Hash(Call call)
    {
        var password = SecretInput.ReadNew(call.Terminal, "password");
        if (password.Length > PasswordHash.MaxPasswordLength)
            throw VerbFailure.Usage($"a password has at most {PasswordHash.MaxPasswordLength} characters");
        var hash = PasswordHash.Create(password);
        call.Answer.Print(new JsonObject { ["passwordHash"] = hash }, hash);
        return Task.FromResult(ExitCodes.Ok);
    }
}
