using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Groundwork.Host.Api;
using Groundwork.Host.CommandLine;
using Groundwork.Host.Output;
using Groundwork.Kernel.Hosting;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using AdminBootstrap = Groundwork.Kernel.Security.AdminBootstrap;

namespace Groundwork.Host.Verbs;

/// <summary><c>login</c> and <c>key</c>.</summary>
internal static class AccessVerbs
{
    private const string KeyKind = "access-key";

    private static readonly Argument<string?> Operator = new("operator")
    {
        Description = "Name of the operator (default, on the node itself: admin)", Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<bool> SignOut = new("--sign-out") { Description = "End the sign-in instead" };

    private static readonly Argument<string> KeyName = new(
        "name") { Description = "Name of the key, such as shop/orders" };

    private static readonly Option<string[]> Roles = new("--role")
    {
        Description = "Role that it holds; may be given again", HelpName = "ROLE", Required = true,
    };

    private static readonly Option<string?> Description = new("--description")
    {
        Description = "Who uses it, and for what", HelpName = "TEXT",
    };

    private static readonly Option<string?> Expires = new("--expires-in")
    {
        Description = "Such as 90d, 12h or 30m (default: never)", HelpName = "TIME",
    };

    public static ImmutableArray<Command> All() =>
    [
        new Verb("login", "Print a link that signs a browser in, or sign in to a node elsewhere.",
            "login alice --server https://core.example:7400", LoginAsync)
        {
            Operator, SignOut,
        },
        new Verb("key", "Create, list and revoke access keys.", "key create shop/orders --role shop-service", run: null)
        {
            new Verb("create", "Create an access key; its secret is shown this once.",
                "key create shop/orders --role shop-service --expires-in 90d", CreateAsync)
            {
                KeyName, Roles, Description, Expires,
            },
            new Verb("list", "List the access keys; secrets are not kept and cannot be shown.", "key list", ListAsync),
            new Verb("revoke", "Revoke an access key; it stops working at once.", "key revoke shop/orders", RevokeAsync)
            {
                KeyName, SharedOptions.Reason,
            },
        },
    ];

    private static async Task<int> LoginAsync(Call call)
    {
        if (call.Parsed.GetValue(SharedOptions.Server) is not { } server) return await PrintLinkAsync(call);
        var remote = RemoteNode.Parse(server);
        var file = new SignInFile(call.Surroundings.ConfigurationDirectory, call.Time);
        if (call.Get(SignOut)) return await SignOutAsync(call, remote, file);
        if (call.Get(Operator) is not { } name) throw VerbFailure.Usage("login needs the operator's name");
        using var connection = remote.ConnectWith(new NoCredential(), call.Surroundings);
        var request = new SignInRequest(name, SecretInput.Read(call.Terminal, $"password of {name} at {remote.Name}"));
        var answer = await connection.SendAsync(
            ApiRequest.Post("sign-in", request, WireJson.Strict.SignInRequest), call.Cancellation);
        var signIn = answer.Read(WireJson.Lenient.SignInAnswer);
        using (await file.TakeTurnAsync(call.Cancellation)) file.Keep(remote.Name, signIn);
        call.Terminal.Out.WriteLine($"signed in to {remote.Name} as {signIn.Principal}; kept in {file.FilePath}");
        return ExitCodes.Ok;
    }

    /// <summary>On the node itself the user id says who calls, and verbs need no sign-in; a browser does.</summary>
    private static async Task<int> PrintLinkAsync(Call call)
    {
        if (call.Get(SignOut)) throw VerbFailure.Usage("--sign-out needs --server: on the node itself nobody signs in");
        var node = LocalNode.Find(call.Surroundings, call.Parsed.GetValue(SharedOptions.Data));
        using var connection = node.Connect(call.Surroundings);
        var link = await ConsoleLink.CreateAsync(
            connection, call.Get(Operator) ?? AdminBootstrap.OperatorName, call.Cancellation);
        if (call.Answer.IsTable)
            call.Terminal.Error.WriteLine($"signs {link.Operator} in once, until {ReadVerbs.Text(link.ExpiresAt)}:");
        call.Terminal.Out.WriteLine(ConsoleLink.Address(NodeFile.Read(node.DataDirectory)?.ApiAddress, link));
        return ExitCodes.Ok;
    }

    private static async Task<int> SignOutAsync(Call call, RemoteNode remote, SignInFile file)
    {
        if (file.Find(remote.Name) is null) throw new VerbFailure(ExitCodes.Refused, $"not signed in to {remote.Name}");
        using var connection = remote.ConnectWith(new KeptSignIn(file, remote.Name), call.Surroundings);
        await connection.SendAsync(ApiRequest.Post("sign-out"), call.Cancellation);
        using (await file.TakeTurnAsync(call.Cancellation)) file.Forget(remote.Name);
        call.Terminal.Out.WriteLine($"signed out of {remote.Name}");
        return ExitCodes.Ok;
    }

    private static async Task<int> CreateAsync(Call call)
    {
        using var connection = call.Connect();
        var request = new AccessKeyRequest(
            call.Required(KeyName), call.Required(Roles), call.Get(Description), Seconds(call.Get(Expires)));
        var answer = await connection.SendAsync(
            ApiRequest.Post("access-keys", request, WireJson.Strict.AccessKeyRequest), call.Cancellation);
        var key = answer.Read(WireJson.Lenient.AccessKeyAnswer);
        // The secret alone on stdout, so that it can go into a file; what people should know goes to stderr.
        if (call.Answer.IsTable)
        {
            call.Terminal.Error.WriteLine(
                $"access key {key.Name}{(key.ExpiresAt is { } end ? $", until {ReadVerbs.Text(end)}" : "")}; shown "
                + "this once:");
        }
        call.Answer.Print(answer.Document, key.Secret);
        return ExitCodes.Ok;
    }

    private static async Task<int> ListAsync(Call call)
    {
        using var connection = call.Connect();
        var answer = await connection.GetAsync(
            ApiPaths.With($"resources/{KeyKind}", ("limit", 1000)), call.Cancellation);
        var keys = answer.Read(WireJson.Lenient.ResourceList);
        call.Answer.Print(answer.Document, () => ReadVerbs.ToTable(keys.Items));
        return ExitCodes.Ok;
    }

    private static async Task<int> RevokeAsync(Call call)
    {
        using var connection = call.Connect();
        var name = call.Required(KeyName);
        var request = new ApiRequest(HttpMethod.Delete, new ResourceName(KeyKind, "", name).Path("resources"))
        {
            Reason = call.Get(SharedOptions.Reason),
        };
        var answer = await connection.SendAsync(request, call.Cancellation);
        call.Answer.Print(answer.Document, $"access key {name} revoked");
        return ExitCodes.Ok;
    }

    /// <summary><c>90d</c>, <c>12h</c>, <c>30m</c> or <c>45s</c>.</summary>
    internal static int? Seconds(string? text)
    {
        if (text is null) return null;
        var unit = text.Length > 0 ? text[^1] switch { 'd' => 86_400, 'h' => 3_600, 'm' => 60, 's' => 1, _ => 0 } : 0;
        if (unit > 0
            && int.TryParse(text.AsSpan(..^1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number > 0 && (long)number * unit <= int.MaxValue)
            return number * unit;
        throw VerbFailure.Usage($"'{text}' is not a time such as 90d, 12h or 30m");
    }
}
