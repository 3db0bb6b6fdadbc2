using System.Globalization;
using Groundwork.Host.CommandLine;
using Groundwork.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Host.Tests.Api;

public sealed class SignInTests : IDisposable
{
    private readonly ManualTimeProvider time = new();
    private readonly CommandRun run;
    private readonly List<string> requests = [];
    private readonly int port = FreePort.Next();
    private int refreshStatus = 200;

    public SignInTests() => run = new CommandRun { Time = time };

    private string Server => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}");

    private string SignInFile => Path.Combine(run.ConfigurationDirectory, "sign-ins.json");

    public void Dispose() => run.Dispose();

    [Fact]
    public async Task A_sign_in_is_kept_for_its_owner_alone_and_renewed_before_it_runs_out()
    {
        await using var node = await HttpStub.OnPortAsync(port, AnswerAsync);
        run.Input = "secret\n";
        await ExpectAsync(ExitCodes.Ok, "login", "alice", "--server", Server);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(SignInFile));
        Assert.DoesNotContain("secret", run.Output + run.Error, StringComparison.Ordinal);
        await ExpectAsync(ExitCodes.Ok, "modules", "--server", Server);
        time.Advance(TimeSpan.FromSeconds(590));
        await ExpectAsync(ExitCodes.Ok, "modules", "--server", Server);
        await ExpectAsync(ExitCodes.Ok, "modules", "--server", Server);
        Assert.Equal(
            [
                """sign-in none {"operator":"alice","password":"secret"}""", "modules Bearer a1 ",
                """refresh none {"refreshToken":"r1"}""", "modules Bearer a2 ", "modules Bearer a2 ",
            ],
            requests);
    }

    [Fact]
    public async Task A_sign_in_that_has_ended_is_forgotten()
    {
        await using var node = await HttpStub.OnPortAsync(port, AnswerAsync);
        run.Input = "secret\n";
        await ExpectAsync(ExitCodes.Ok, "login", "alice", "--server", Server);
        time.Advance(TimeSpan.FromDays(1));
        refreshStatus = 401;
        await ExpectAsync(ExitCodes.Refused, "modules", "--server", Server);
        Assert.Contains("has ended", run.Error, StringComparison.Ordinal);
        await ExpectAsync(ExitCodes.Refused, "modules", "--server", Server);
        Assert.Contains("not signed in", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Signing_out_forgets_the_tokens()
    {
        await using var node = await HttpStub.OnPortAsync(port, AnswerAsync);
        run.Input = "secret\n";
        await ExpectAsync(ExitCodes.Ok, "login", "alice", "--server", Server);
        await ExpectAsync(ExitCodes.Ok, "login", "--sign-out", "--server", Server);
        Assert.Equal("sign-out Bearer a1 ", requests[^1]);
        Assert.DoesNotContain("a1", File.ReadAllText(SignInFile), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_access_key_of_the_environment_goes_before_a_sign_in()
    {
        await using var node = await HttpStub.OnPortAsync(port, AnswerAsync);
        run.Set("GROUNDWORK_ACCESS_KEY", "gw_key");
        await ExpectAsync(ExitCodes.Ok, "modules", "--server", Server);
        Assert.Equal("modules Bearer gw_key ", Assert.Single(requests));
    }

    [Fact]
    public async Task A_file_that_others_can_read_is_refused()
    {
        await using var node = await HttpStub.OnPortAsync(port, AnswerAsync);
        run.Input = "secret\n";
        await ExpectAsync(ExitCodes.Ok, "login", "alice", "--server", Server);
        File.SetUnixFileMode(SignInFile, File.GetUnixFileMode(SignInFile) | UnixFileMode.GroupRead);
        await ExpectAsync(ExitCodes.Refused, "modules", "--server", Server);
        Assert.Contains("is open to others", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_password_nothing_is_sent()
    {
        await ExpectAsync(ExitCodes.Usage, "login", "alice", "--server", Server);
        Assert.Contains("no password was given", run.Error, StringComparison.Ordinal);
    }

    private async Task ExpectAsync(int exitCode, params string[] arguments)
    {
        var actual = await run.RunAsync(arguments);
        Assert.True(exitCode == actual, $"exit code {actual}: {run.Error}");
    }

    private async Task AnswerAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var what = context.Request.Path.Value?.Split('/')[^1] ?? "";
        var credential = context.Request.Headers.Authorization.ToString() is { Length: > 0 } header ? header : "none";
        requests.Add($"{what} {credential} {await reader.ReadToEndAsync()}");
        context.Response.StatusCode = what == "refresh" ? refreshStatus : 200;
        await context.Response.WriteAsync(what switch
        {
            "sign-in" =>
                """{"principal":"operator:alice","accessToken":"a1","expiresInSeconds":600,"refreshToken":"r1"}""",
            "refresh" when refreshStatus == 200 =>
                """{"principal":"operator:alice","accessToken":"a2","expiresInSeconds":600,"refreshToken":"r2"}""",
            "refresh" => """{"type":"t","title":"t","status":401,"detail":"Over.","code":"unauthenticated"}""",
            _ => """{"items":[]}""",
        });
    }
}
