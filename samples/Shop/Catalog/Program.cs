using Groundwork.Client;
using Shop.Catalog;

var builder = WebApplication.CreateBuilder(args);
builder.Logging.AddSimpleConsole(console => console.SingleLine = true);
builder.AddGroundwork();
builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning); // Not a line for every request.
builder.Services.AddOptions<StorefrontOptions>()
    .BindConfiguration(StorefrontOptions.SectionName)
    .Validate(StorefrontOptions.IsValid, StorefrontOptions.Rule);
builder.Services.AddServiceClient<IRecommendations>();
builder.Services.AddSingleton(_ => ProductStore.Open(builder.Configuration));

var app = builder.Build();
app.MapHealthChecks("/health");
app.MapCatalog();
app.Run();
