using Groundwork.Client;
using Shop.Payments;

var builder = WebApplication.CreateBuilder(args);
builder.Logging.AddSimpleConsole(console => console.SingleLine = true);
builder.AddGroundwork();
builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning); // Not a line for every request.
builder.Services.AddOptions<PaymentOptions>()
    .BindConfiguration(PaymentOptions.SectionName)
    .Validate(options => options.LimitMinor > 0, "Payments:LimitMinor must be above 0.");
builder.Services.AddSingleton(TimeProvider.System);
builder.Services.AddSingleton(_ => PaymentStore.Open(builder.Configuration));

var app = builder.Build();
app.MapHealthChecks("/health");
app.MapPayments();
app.Run();
