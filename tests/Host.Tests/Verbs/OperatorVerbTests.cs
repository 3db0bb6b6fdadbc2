using Groundwork.Host.CommandLine;
using Groundwork.Kernel.Security;

namespace Groundwork.Host.Tests.Verbs;

public sealed class OperatorVerbTests : IDisposable
{
    private readonly CommandRun run = new();

    [Fact]
    public async Task Hash_of_a_password_from_standard_input_verifies_it_and_is_what_an_operator_takes()
    {
        run.Input = "correct horse\nignored\n";
        Assert.Equal(ExitCodes.Ok, await run.RunAsync("operator", "hash"));
        var hash = run.Output.Trim();
        Assert.Null(PasswordHash.FindFault(hash));
        Assert.True(PasswordHash.Verify(hash, "correct horse"));
        Assert.DoesNotContain("correct horse", run.Output + run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "no password was given")]
    [InlineData("\n", "no password was given")]
    public async Task No_password_is_no_hash(string input, string message)
    {
        run.Input = input;
        Assert.Equal(ExitCodes.Usage, await run.RunAsync("operator", "hash"));
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Password_is_never_an_argument()
    {
        Assert.Equal(ExitCodes.Usage, await run.RunAsync("operator", "hash", "hunter2"));
        Assert.Equal(ExitCodes.Usage, await run.RunAsync("operator", "hash", "--password", "hunter2"));
    }

    public void Dispose() => run.Dispose();
}
